"""Map a product's description to its category by a fixed table of phrases."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class CategoryRule:
    """Put a product into a category if its description contains one of the phrases.

    A phrase is one or more whole words in lower case; an `s` or `es` may follow it.
    """

    category: str
    parent_category: str
    phrases: tuple[str, ...]


OTHER: Final = CategoryRule("other", "other", ())
"""The category of a product that no rule matches."""


def _rule(category: str, parent_category: str, phrases: str) -> CategoryRule:
    return CategoryRule(
        category, parent_category, tuple(phrase.strip() for phrase in phrases.split(","))
    )


# The first matching rule wins, so the order matters: seasons first, then purposes, then materials.
# A category may have several rules.
CATEGORY_RULES: Final = (
    _rule(
        "christmas",
        "seasonal",
        "christmas, blackchristmas, xmas, santa, bauble, reindeer, rudolph, advent, snowflake, "
        "snowman, snowmen, snowy, snow, nativity, mistletoe, holly, stocking, cracker, wish list, "
        "robin, tree top, icicle, wise men, noel, sleigh, jingle bell, yuletide, sock hanger, "
        "goose feather tree, tree decoration, set 10 card, minicard",
    ),
    _rule(
        "warmers",
        "home",
        "hot water bottle, hottie, hand warmer, pocket warmer, slipper, ear muff",
    ),
    _rule(
        "easter",
        "seasonal",
        "easter, egg hunt, hen house, chick, hen on nest, egg house, egg basket, hanging egg, "
        "butterfly egg, flower egg, paper egg, decoration egg, eggs hand painted, eggs in crate, "
        "bunny egg, sticky bunnies, mini bunnies, mini rabbit",
    ),
    _rule(
        "jewellery",
        "jewellery",
        "earring, necklace, necklac, necklaces, neckla, neckl, neckl36, garld, pendant, choker, "
        "lariat, diamante chain, bracelet, braclet, bangle, expandable ring, flower ring, "
        "silver ring, rosebud ring, boudicca ring, diamond ring, diamante ring, brooch",
    ),
    _rule(
        "charms_and_hair",
        "jewellery",
        "bag charm, phone charm, phone char, bead charm, bubblegum ring, bubble gum ring, "
        "hair clip, hair band, hair comb, hair slide, hair tie, hair grip, haircomb, hairclip, "
        "hairslide, hairband, cluster slide, key ring, keyring, key chain, key fob, tiara, badge, "
        "butterfly clip, dolly hair",
    ),
    _rule(
        "lunch_and_picnic",
        "bags_and_travel",
        "lunch, snack box, picnic, snack tray, food container, flask",
    ),
    _rule(
        "shopping_bags",
        "bags_and_travel",
        "jumbo bag, storage bag, shopper, shopping bag, tote bag, charlotte bag, recycling bag, "
        "shoulder bag, backpack, kids bag, beach bag, drawstring bag, bottle bag, bag w handle, "
        "bum bag, flower bag, carry all",
    ),
    _rule(
        "purses_and_washbags",
        "bags_and_travel",
        "purse, handbag, hand bag, washbag, wash bag, cosmetic bag, cosmetics bag, evening bag, "
        "wallet, glasses case, pocket bag, pencil case",
    ),
    _rule(
        "craft_and_sewing",
        "stationery_and_craft",
        "feltcraft, dollcraft, felt craft, sewing, knitting kit, pin cushion, iron on, patches, "
        "repair kit, crochet flower, measuring tape, tape measure, card kit, notelets kit, "
        "kit cards, paper craft, stamp set",
    ),
    _rule(
        "party_decorations",
        "paper_and_party",
        "bunting, balloon, party bag, party cone, party charm, party invite, party pizza, "
        "party food, paper chain, confetti, garland, napkin, paper plate, paper cup, straw, "
        "honeycomb, cocktail, paper parasol, cordon barrier, doilies, popcorn holder, "
        "place setting, pennant, windsock, flag of st george, rosette, lei, candy bag, "
        "chinese dragon",
    ),
    _rule(
        "travel_and_umbrellas",
        "bags_and_travel",
        "luggage tag, passport cover, vippassport, airline bag, cabin bag, overnight bag, "
        "weekend bag, umbrella, rain hat, rain poncho, rain mac, edwardian parasol, "
        "decorative parasol, mini case, first aid kit, bead pink scarf, sunglasses, "
        "traveling fan, silk fan, sandalwood fan, travel alarm",
    ),
    _rule(
        "gift_wrap",
        "paper_and_party",
        "wrap, wrapping, gift tag, gift bag, gift tape, gift boxes, tissue ream, paper bag, "
        "tinsel, gift sack, pannetone, nesting box, ribbon, paper box, bookcover tape",
    ),
    _rule(
        "greeting_cards",
        "paper_and_party",
        "greeting card, birthday card, blank card, message card, thank you card, postcard, "
        "envelope, card party games",
    ),
    _rule(
        "toys_and_games",
        "children",
        "playing card, snap card, game, jigsaw, domino, ludo, bingo, skittle, spinning top, "
        "skipping rope, skippping rope, harmonica, glider, soft toy, toy, doll, teddy, puppet, "
        "playhouse, marble, snakes ladders, naughts crosses, stencil, drawing slate, crayon, "
        "colouring set, paint set, modelling clay, knitting nancy, helicopter, windmill, "
        "crawlies, crawlie set, dinosaur set, snake set, rounders, croquet, flying disc, bubbles, "
        "rocking horse, tattoo, chalk stick, doily chalk, alphabet block, jigsaw block, "
        "ninja rabbit, space frog, space owl, space cadet, pick up stick, heads and tails, "
        "paint your own, sandcastle, seaside bucket, beach spade, farm animal, farmyard, monster, "
        "boom box, boombox, inflatable, piggy bank, money bank, money box, rattle snake, "
        "baby gift set, baby bib, height chart, grass skirt, sombrero, pony, magic sheep, "
        "glow in dark",
    ),
    _rule(
        "candle_holders_and_lanterns",
        "candles_and_lighting",
        "t light holder, t light hold, t light hldr, tealight holder, candle holder, "
        "candleholder, candlestick, candle stick, candlepot, candle pot, candle plate, "
        "candle bowl, candelabra, votive holder, lantern, hurricane lamp, t light glass, "
        "hanging t light, etched tealight, t light set, t light setting, candle stand, "
        "candlestand, base for candle, wire for candle, frosted white base",
    ),
    _rule(
        "candles_and_fragrance",
        "candles_and_lighting",
        "candle, chocolatecandle, t light, tea light, tealight, votive, incense, oil burner, "
        "fragrance oil, scent, scented, pot pourri, matches, balm",
    ),
    _rule(
        "lighting",
        "candles_and_lighting",
        "night light, nightlight, lamp, lampshade, shade, lights, string 20light, light chain, "
        "table light, bedside light, bird light, chandelier, led torch, disco ball, mirror ball, "
        "bulb, lightbulb, silicon cube, ubo light, light decoration",
    ),
    _rule("clocks", "home", "clock"),
    _rule(
        "signs_and_wall_art",
        "home",
        "sign, doorsign, wall art, plaque, number tile, slate, chalkboard, blackboard, "
        "black board, memo board, memoboard, canvas, kitchen print, shells print, calendar, "
        "wood letter, block letter, painted letter, building block word, door hanger, "
        "flying duck",
    ),
    _rule(
        "frames_and_mirrors",
        "home",
        "frame, photoframe, photo, mirror, portrait, album, paperweight, p weight, card holder, "
        "cardholder",
    ),
    _rule("greeting_cards", "paper_and_party", "card"),
    _rule(
        "bathroom_and_beauty",
        "home",
        "bathroom set, bathroom scale, bathroom bottle, toilette bottle, bath sponge, bath salt, "
        "soap, towel pink, towel pale, rose towel, cake towel, roll towel, hand towel, flannel, "
        "sponge, shower cap, tissue, lip gloss, plaster, wash bowl, toilet roll",
    ),
    _rule(
        "stationery",
        "stationery_and_craft",
        "notebook, note book, notepad, sketchbook design, sketchbook, journal, pocket book, "
        "exercise book, address book, scrap book, book mark, pencil, pen, eraser, rubber, ruler, "
        "sticker, stationery, writing set, calculator, shopping list, retrospot tape, "
        "skulls tape, cats tape, design tape, tape dispenser, hole punch, sharpener, memo holder, "
        "highlighter, letter rack, letter tray, letter holder, scissor, screwdriver, "
        "spirit level",
    ),
    _rule(
        "garden",
        "garden",
        "watering can, planter, plant, grow your own, grow a, herb marker, herb garden, potting, "
        "bird box, birdhouse, bird house, bird table, dovecote, feeding station, kneeling, "
        "wheelbarrow, gnome, secateurs, trellis, fly swat, windchime, chime, garden marker, "
        "garden fork, garden rake, garden spade, garden trowel, garden glove, garden brush, "
        "garden tool, garden parasol, garden thermometer, garden decoration, "
        "decorative garden, garden path, hammock, sow n grow",
    ),
    _rule(
        "laundry_and_pets",
        "home",
        "clothes peg, dolly peg, flower peg, peg bag, pegs in, ironing board, dog bowl, cat bowl, "
        "dog collar, bicycle",
    ),
    _rule(
        "kitchen_textiles",
        "kitchen_and_dining",
        "tea towel, oven glove, oven mitt, apron, tablecloth, table cloth, placemat, coaster, "
        "table run, washing up glove, food cover",
    ),
    _rule(
        "baking",
        "kitchen_and_dining",
        "cake case, petit four case, cup cake case, baking, cookie cutter, jelly mould, mould, "
        "cake tin, cakestand, cake stand, cake plate, cake fork, cake slice, cake carrier, "
        "cake cover, cake bowl, rolling pin, pastry, mixing bowl, measuring, toast it, lolly, "
        "recipe, cooking set, jam making, cupcake lace",
    ),
    _rule(
        "kitchenware",
        "kitchen_and_dining",
        "pantry hook, frying pan, milk pan, egg pan, kitchen scale, chopping board, whisk, "
        "spatula, ladle, egg spoon, pudding spoon, wooden spoon, spoon rest, colander, "
        "bottle opener, corer, squeezer, brush, bread bin, biscuit bin, biscuit barrel, magnet, "
        "egg warmer, egg holder, cutlery, chopstick, salt and pepper, utensil, "
        "kitchen thermometer, wall thermometer, tea strainer",
    ),
    _rule(
        "hooks_knobs_and_doors",
        "home",
        "hook, hanger, coathanger, coat rack, knob, drawerknob, doorstop, doormat, key holder, "
        "doorbell, wallhanging, suction cup",
    ),
    _rule(
        "mugs_and_tea",
        "kitchen_and_dining",
        "mug, teacup, tea cup, cup, saucer, teapot, tea set, coffee set, tea for one, milk jug, "
        "sugar bowl, sugar tong, sugar jam bowl, tea plate, tea spoon, teaspoon, tea bag, "
        "tea cosy, egg cosy, tea glass, beaker, sugar dispenser, caddy, tea coffee, "
        "coffee container, tea container, coffee grinder",
    ),
    _rule(
        "tableware",
        "kitchen_and_dining",
        "bowl, fruitbowl, plate, dish, tray, jug, tumbler, wine glass, champagne glass, goblet, "
        "chalice, aperitif glass, milkshake glass, d o f glass, platter, jampot, cloche, "
        "bell jar, breakfast set, toastrack, charger, cannister, wine bottle, enamel pot, "
        "water basin, breakfast basket",
    ),
    _rule(
        "boxes_tins_and_storage",
        "home",
        "jar, tin, bottle, storage, box, boxes, chest, cabinet, drawer, tidy, crate, basket, "
        "container, rack, organiser, bin, shelf, cupboard, sideboard, shelving, newspaper stand, "
        "jewellery stand, jewel stand, umbrella stand, bucket, trinket, dressing table pot",
    ),
    _rule(
        "soft_furnishings_and_furniture",
        "home",
        "cushion, squarecushion, c cover, throw, quilt, curtain, filler pad, chair, stool, "
        "round table, steel table, pouffe, love seat, partition, acapulco mat",
    ),
    _rule(
        "decorations_and_ornaments",
        "home",
        "decoration, dec, deco, ornament, hanging, artificial flower, artiifcial flower, "
        "art flower, paper flower, wreath, vase, heart, star, mobile, bird, butterfly, bell, "
        "angel, toadstool, mushroom, bunny, rabbit, cat, owl, dove, hen, shell, geisha, buddha, "
        "scottie dog, porcelain, ceramic ball, glass gem, silver stone, wicker, felt, butterflies, "
        "hand open shape, metal pear, wooden daisy, jewel, chicken, ashtray",
    ),
)

_NOT_A_WORD: Final = re.compile(r"[^a-z0-9]+")


def _compile_pattern(rule: CategoryRule) -> re.Pattern[str]:
    phrases = "|".join(map(re.escape, rule.phrases))
    return re.compile(rf"\b(?:{phrases})(?:s|es)?\b")


_PATTERNS: Final = tuple((_compile_pattern(rule), rule) for rule in CATEGORY_RULES)


def categorise(description: str) -> CategoryRule:
    """Return the first rule that matches a description, or `OTHER`.

    Case doesn't matter, and each sign that is no letter or digit counts as a space.

    >>> categorise("WHITE HANGING HEART T-LIGHT HOLDER").category
    'candle_holders_and_lanterns'
    """
    words = _NOT_A_WORD.sub(" ", description.lower())
    return next((rule for pattern, rule in _PATTERNS if pattern.search(words)), OTHER)
