"""Sums over model calls as packed columns: arrays in, arrays out. Knows numpy and bytes, not the database.

`blocks` holds sums by what people filter on, `bins` the histograms of times, `codes` the numbers that words become.
"""
