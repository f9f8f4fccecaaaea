"""Sums over model calls as packed columns: arrays in, arrays out. Knows numpy and bytes, not the database.

`blocks` holds sums by what people filter on, `grouping` adds them up, `bins` has the histograms of times, `codes` the
numbers that words become.
"""
