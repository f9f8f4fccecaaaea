"""Name, category, price, weight in grams (None: nobody weighed it), in stock, description."""
# ruff: noqa: E501 - descriptions as the shop has them

from __future__ import annotations

PRODUCTS: tuple[tuple[str, str, str, int | None, bool, str], ...] = (
    ("Alba kettle", "kitchen", "64.00", 980, True, "Gooseneck kettle of brushed steel, 0.9 litres, with a thermometer in the lid. Pours slowly enough for filter coffee; works on gas and induction."),
    ("Birch bread board", "kitchen", "28.50", 720, True, "Solid birch, oiled with linseed, with a groove that catches crumbs. 38 by 22 centimetres; hangs from a leather loop."),
    ("Copper milk pan", "kitchen", "89.00", 860, True, "One-litre pan of 1.6 mm copper with a tin lining and two pouring lips. Heats evenly, so milk does not catch."),
    ("Dune salt mill", "kitchen", "34.90", 310, True, "Ceramic grinder in a beech body. Adjustable from dust to flakes; refilled from above without a tool."),
    ("Ember pizza stone", "kitchen", "45.00", 2900, False, "Cordierite stone for ovens and grills up to 400 °C. 34 centimetres across; gives a crisp base in eight minutes."),
    ("Fjord fillet knife", "kitchen", "72.00", 140, True, "Flexible 18 cm blade of Swedish steel with a cork handle that floats. Comes with a leather sheath."),
    ("Granite mortar", "kitchen", "39.00", 3400, True, "Rough inside, polished outside; holds 350 ml. Heavy enough to stay where it stands while you grind."),
    ("Harvest jar set", "kitchen", "26.00", 1850, True, "Six preserving jars of recycled glass, half a litre each, with rubber rings and steel clips. Dishwasher safe."),
    ("Iris tea towel trio", "kitchen", "19.50", 240, True, "Three half-linen towels, woven in Portugal, pre-washed so that they dry from the first day. 50 by 70 centimetres."),
    ("Arc floor lamp", "home", "189.00", 5600, True, "Dimmable LED lamp with a bent oak arm that reaches over a sofa. 900 lumen, warm white, switch at hand height."),
    ("Bolder wool rug", "home", "249.00", 6200, True, "Hand-tufted from undyed wool, 140 by 200 centimetres. Thick enough to sit on; edges bound by hand."),
    ("Cloud duvet", "home", "139.00", 1500, True, "All-season duvet filled with kapok and covered in organic cotton. Washable at 40 degrees; suits people with allergies to down."),
    ("Drift wall shelf", "home", "58.00", 2100, False, "Ash shelf without visible brackets, 80 centimetres wide, carries 12 kilograms. Template and screws are included."),
    ("Elm side table", "home", "119.00", 4300, True, "Round table of solid elm with three legs that screw in without tools. 45 centimetres high, fits beside a bed."),
    ("Fern planter", "home", "32.00", 1900, True, "Glazed stoneware planter with a hidden saucer, 20 centimetres across. Water shows in a slit before the roots drown."),
    ("Glow candle, cedar", "home", "22.00", 380, True, "Rapeseed wax with cedar and bergamot; burns for 45 hours in a glass that is a good tumbler afterwards."),
    ("Hush curtain", "home", "94.00", 1700, True, "Blackout curtain of recycled polyester that also takes the edge off street noise. 140 by 250 centimetres, hemmed to your length."),
    ("Basalt camping stove", "outdoor", "69.00", 410, True, "Folding stove for gas cartridges, boils a litre in under four minutes. Piezo lighter; folds to the size of a mug."),
    ("Cove dry bag", "outdoor", "29.90", 190, True, "Twenty litres, welded seams, roll top. Keeps a change of clothes dry in a canoe and floats when it falls in."),
    ("Delta head torch", "outdoor", "42.00", 85, True, "400 lumen, charged by USB-C, with red light for reading maps. Runs six hours on the middle setting; rain does not harm it."),
    ("Everest flask", "outdoor", "36.50", 460, True, "Steel bottle with double wall: tea stays hot for 18 hours. 750 ml; the lid is a cup."),
    ("Fox trail gaiters", "outdoor", "48.00", None, True, "Light gaiters against mud and stones, with a zip that opens under gloves. Three sizes; repaired free for five years."),
    ("Gale rain jacket", "outdoor", "159.00", 340, True, "Three-layer jacket without fluorocarbons, taped seams, hood over a helmet. Packs into its own pocket."),
    ("Heron hammock", "outdoor", "55.00", 520, False, "Parachute nylon, carries 180 kilograms, hangs in two minutes with the straps that come with it."),
    ("Isle picnic blanket", "outdoor", "38.00", 900, True, "Recycled wool on one side, waterproof on the other. 150 by 180 centimetres, with a strap to carry it by."),
    ("Acre desk pad", "office", "44.00", 610, True, "Desk pad of vegetable-tanned leather, 65 by 35 centimetres. Mouse and pen both glide; marks add character."),
    ("Beam desk lamp", "office", "98.00", 1300, True, "Desk lamp with five brightness steps and three colours of light, no flicker. The arm stays where you leave it."),
    ("Cadence timer", "office", "24.00", 160, True, "A timer that you turn, for 25 minutes of quiet work. Rings softly or only glows; no app, no account."),
    ("Draft notebook", "office", "16.50", 290, True, "160 dotted pages of 100 g paper that ink does not bleed through. Lies flat; the last 16 pages tear out cleanly."),
    ("Echo headset stand", "office", "31.00", 540, True, "Walnut stand with a cable groove and a felt foot. Holds large headphones without bending the band."),
    ("Focus footrest", "office", "59.00", 2400, True, "Rocking footrest in cork, tilts to 20 degrees. For desks that are a little too high, and people who cannot sit still."),
    ("Grid cable box", "office", "27.00", 680, True, "Box for a six-way socket and what hangs from it. Slots on both ends, lid with air holes, child-proof catch."),
    ("Amber hand soap", "care", "9.90", 320, True, "Liquid soap with orange oil and oat, 300 ml in a bottle that is refilled from a one-litre pouch. Kind to cracked hands."),
    ("Bay shaving brush", "care", "33.00", 75, True, "Synthetic bristles in a beech handle; dries overnight and needs no badger. Works with soap and with cream."),
    ("Clay face mask", "care", "14.50", 120, True, "Green clay and aloe, for oily skin. Ten minutes, then it washes off with warm water. Enough for twelve times."),
    ("Dew body oil", "care", "21.00", 210, True, "Almond and jojoba with a little neroli, pressed cold. Sinks in within a minute; leaves no stain on cotton."),
    ("Elder bath salts", "care", "12.90", 650, False, "Sea salt with elderflower and lavender in a paper bag. Six baths; no dye, no perfume from a laboratory."),
    ("Fable toothbrush set", "care", "11.00", 60, True, "Four brushes of beech with soft castor-oil bristles, each with its own notch so that nobody takes the wrong one."),
    ("Grove shampoo bar", "care", "8.90", 80, True, "Solid shampoo with nettle and rice protein; lasts as long as two bottles. No plastic anywhere."),
    ("Haven sleep mask", "care", "23.50", 45, True, "Mulberry silk outside, dark cotton inside, with a band that does not pull hair. For trains, planes and summer nights."),
)  # fmt: skip

# What somebody wrote before: name -> tagline, audience.
WRITTEN: dict[str, tuple[str, str]] = {
    "Alba kettle": ("The kettle that pours like a pencil draws", "People who brew filter coffee"),
    "Arc floor lamp": ("Light over the sofa, not in your eyes", ""),
    "Birch bread board": ("A board for every day", "Home bakers"),
    "Cadence timer": ("Twenty-five quiet minutes", "People who work from home"),
    "Delta head torch": ("Sees the path, spares the map", "Hikers and night runners"),
    "Everest flask": ("Still hot at sunset", ""),
    "Grove shampoo bar": ("Two bottles less", "Travellers with hand luggage only"),
}
