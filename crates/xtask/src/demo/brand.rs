//! Harbor & Pine: who sells what to whom, and who makes it. What never depends on the seed.

/// The brand's name.
pub const NAME: &str = "Harbor & Pine";

/// The tenant's zone.
pub const ZONE: &str = "America/New_York";

/// Own site: sold to people, at list price.
pub const OWN_SITE: &str = "own-site";
/// The marketplace.
pub const AMAZON: &str = "amazon";
/// Regional distributors.
pub const WHOLESALE: &str = "distributors";
/// A few shops of the brand's own.
pub const SHOPS: &str = "shops";

/// The main warehouse, in New Jersey.
pub const EDISON: &str = "edison";
/// The western warehouse, in Nevada.
pub const RENO: &str = "reno";
/// The logistics partner in Texas that packs for the marketplace.
pub const DALLAS: &str = "3pl-dallas";

/// A way to sell.
#[derive(Debug)]
pub struct ChannelFacts {
    /// Its id.
    pub id: &'static str,
    /// Its kind in the contract's words.
    pub kind: &'static str,
    /// 1 is served first.
    pub priority: i64,
    /// The nodes that serve it, the preferred one first.
    pub nodes: &'static [&'static str],
    /// Days until it pays out.
    pub lag_days: i64,
    /// The share that it keeps.
    pub fee: &'static str,
    /// Its share of an item's demand, percent.
    pub share: i64,
    /// Its price, percent of the list price.
    pub price: i64,
    /// Units kept back from what is published.
    pub buffer: i64,
}

/// The channels. Distributors plan with us for months and come first; shops order again soon.
pub const CHANNELS: [ChannelFacts; 4] = [
    ChannelFacts {
        id: WHOLESALE,
        kind: "wholesale",
        priority: 1,
        nodes: &[EDISON],
        lag_days: 30,
        fee: "0",
        share: 30,
        price: 52,
        buffer: 0,
    },
    ChannelFacts {
        id: AMAZON,
        kind: "marketplace",
        priority: 2,
        nodes: &[DALLAS, EDISON],
        lag_days: 14,
        fee: "0.15",
        share: 30,
        price: 97,
        buffer: 2,
    },
    ChannelFacts {
        id: OWN_SITE,
        kind: "dtc",
        priority: 3,
        nodes: &[EDISON, RENO],
        lag_days: 2,
        fee: "0.03",
        share: 30,
        price: 100,
        buffer: 1,
    },
    ChannelFacts {
        id: SHOPS,
        kind: "retail",
        priority: 4,
        nodes: &[RENO, EDISON],
        lag_days: 5,
        fee: "0.01",
        share: 10,
        price: 100,
        buffer: 0,
    },
];

/// A place with stock: id, kind, open days, days from arrival to use.
pub const NODES: [(&str, &str, &[&str], i64); 3] = [
    (EDISON, "warehouse", &["mon", "tue", "wed", "thu", "fri", "sat"], 1),
    (RENO, "warehouse", &["mon", "tue", "wed", "thu", "fri"], 1),
    (DALLAS, "3pl", &["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 1),
];

/// A lane: from, to, days, cost of a unit in US cents.
pub const LANES: [(&str, &str, i64, i64); 5] = [
    (EDISON, RENO, 6, 48),
    (RENO, EDISON, 6, 48),
    (EDISON, DALLAS, 4, 36),
    (RENO, DALLAS, 4, 39),
    (DALLAS, EDISON, 5, 64),
];

/// A supplier.
#[derive(Debug)]
pub struct SupplierFacts {
    /// Its id.
    pub id: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// Its country.
    pub country: &'static str,
    /// `overseas` or `domestic`.
    pub class: &'static str,
    /// What it is paid in.
    pub currency: &'static str,
    /// Days from receipt to payment.
    pub terms_days: i64,
    /// Days from release to arrival.
    pub lead_days: i64,
    /// Of a hundred of its lines, so many come late.
    pub late_percent: i64,
    /// Of a thousand of its units, so many are rejected on a bad day.
    pub reject_permille: i64,
}

const fn overseas(
    id: &'static str,
    name: &'static str,
    country: &'static str,
    currency: &'static str,
    days: (i64, i64),
    faults: (i64, i64),
) -> SupplierFacts {
    let class = "overseas";
    let (terms_days, lead_days) = days;
    let (late_percent, reject_permille) = faults;
    SupplierFacts {
        id,
        name,
        country,
        class,
        currency,
        terms_days,
        lead_days,
        late_percent,
        reject_permille,
    }
}

/// Six overseas suppliers, one for each family of goods in the order of [`FAMILIES`].
pub const OVERSEAS: [SupplierFacts; 6] = [
    overseas("ningbo-evergreen", "Ningbo Evergreen Home", "CN", "USD", (30, 42), (22, 20)),
    overseas("yiwu-bright-star", "Yiwu Bright Star Trading", "CN", "CNY", (15, 38), (45, 45)),
    overseas("jaipur-block-print", "Jaipur Block Print Works", "IN", "USD", (30, 40), (30, 15)),
    overseas("hanoi-bamboo", "Hanoi Bamboo & Lacquer", "VN", "USD", (45, 35), (15, 25)),
    overseas("porto-ceramica", "Porto Ceramica", "PT", "EUR", (60, 28), (8, 10)),
    overseas("izmir-glass", "Izmir Glassworks", "TR", "EUR", (30, 31), (35, 60)),
];

/// Two domestic backups: dear and quick.
pub const DOMESTIC: [SupplierFacts; 2] = [
    SupplierFacts {
        class: "domestic",
        ..overseas("hudson-supply", "Hudson Valley Supply", "US", "USD", (30, 6), (6, 5))
    },
    SupplierFacts {
        class: "domestic",
        ..overseas("great-lakes-goods", "Great Lakes Goods", "US", "USD", (45, 9), (10, 8))
    },
];

/// Every supplier, the overseas ones first.
pub fn suppliers() -> impl Iterator<Item = &'static SupplierFacts> {
    OVERSEAS.iter().chain(DOMESTIC.iter())
}

/// Units of a currency in US dollars, in ten-thousandths, as of the base day.
pub const RATES: [(&str, i64); 2] = [("CNY", 1404), ("EUR", 10862)];

/// A family of goods: what one overseas supplier makes.
#[derive(Debug)]
pub struct Family {
    /// The letters its item codes begin with.
    pub code: &'static str,
    /// Its articles: name, cost in US cents, grams.
    pub articles: [(&'static str, i64, i64); 5],
    /// Its designs; each article comes in each.
    pub designs: [&'static str; 10],
}

/// The families, 50 items each.
pub const FAMILIES: [Family; 6] = [
    Family {
        code: "LIN",
        articles: [
            ("Waffle Tea Towel", 240, 90),
            ("Linen Apron", 780, 310),
            ("Cotton Table Runner", 640, 280),
            ("Oven Mitt Pair", 410, 220),
            ("Stonewashed Napkin Set", 520, 240),
        ],
        designs: [
            "Sage",
            "Harbor Blue",
            "Oat",
            "Charcoal",
            "Rust",
            "Pine",
            "Fog",
            "Clay",
            "Ivory",
            "Ink",
        ],
    },
    Family {
        code: "ORN",
        articles: [
            ("Paper Star Garland", 180, 60),
            ("Felt Ornament Set", 290, 80),
            ("Brass Bell Hanger", 350, 140),
            ("Gift Wrap Trio", 210, 260),
            ("Wooden Advent Tree", 890, 720),
        ],
        designs: [
            "Forest", "Snow", "Berry", "Gold", "Copper", "Plum", "Frost", "Ember", "Moss", "Candy",
        ],
    },
    Family {
        code: "TEX",
        articles: [
            ("Block Print Cushion", 690, 420),
            ("Quilted Throw", 1850, 1300),
            ("Hand-loomed Tablecloth", 1320, 900),
            ("Drawstring Pouch", 160, 50),
            ("Printed Tote", 380, 180),
        ],
        designs: [
            "Indigo Vine",
            "Marigold",
            "Peacock",
            "Lotus",
            "Ajrakh",
            "Fern",
            "Paisley",
            "Saffron",
            "Mango Leaf",
            "Night Sky",
        ],
    },
    Family {
        code: "BAM",
        articles: [
            ("Bamboo Serving Board", 560, 640),
            ("Seagrass Basket", 720, 580),
            ("Lacquer Tray", 830, 510),
            ("Rattan Placemat Pair", 430, 200),
            ("Bamboo Utensil Set", 310, 190),
        ],
        designs: [
            "Natural", "Walnut", "Smoke", "Cinnabar", "Jade", "Honey", "Ebony", "Sand", "Coral",
            "Midnight",
        ],
    },
    Family {
        code: "CER",
        articles: [
            ("Stoneware Mug", 460, 380),
            ("Pasta Bowl", 610, 650),
            ("Bud Vase", 390, 300),
            ("Olive Dish", 330, 240),
            ("Serving Platter", 1240, 1400),
        ],
        designs: [
            "Azulejo",
            "Chalk",
            "Atlantic",
            "Olive",
            "Terracotta",
            "Speckle",
            "Slate",
            "Lemon",
            "Tide",
            "Almond",
        ],
    },
    Family {
        code: "GLS",
        articles: [
            ("Tumbler Pair", 540, 620),
            ("Tealight Holder", 230, 210),
            ("Carafe", 870, 780),
            ("Storm Lantern", 1150, 1500),
            ("Recycled Glass Jar", 420, 560),
        ],
        designs: [
            "Clear",
            "Amber",
            "Aegean",
            "Smoke",
            "Rose",
            "Emerald",
            "Opal",
            "Cobalt",
            "Honeycomb",
            "Ripple",
        ],
    },
];

/// Distributors, whose orders carry their names.
pub const DISTRIBUTORS: [&str; 6] =
    ["northeast", "mid-atlantic", "great-plains", "southeast", "pacific", "canada"];

/// The brand's own shops.
pub const SHOP_TOWNS: [&str; 5] = ["portland", "burlington", "hudson", "tahoe", "bend"];
