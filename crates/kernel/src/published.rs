//! Forms of texts that are kept as plain texts, as they are published.
//!
//! Nothing is made of these types: a field that holds such a text names one as the `value_type` of
//! its schema, so that each form is written once. What has no form says `free-text`: words for a
//! person, of which a program must expect nothing.

use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::ratio::Ratio;

/// The longest ratio that a caller can give: a decimal has 28 digits in every case, and a sign and a
/// point take the place of two.
const MAX_RATIO_LENGTH: usize = 28;

/// The version of a record, as in `ETag`: what `If-Match` names.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^[0-9]{1,16}$", example = "42")]
pub struct Version(pub String);

/// The id of an event: `ev_` and its place among all events of the tenant.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^ev_[0-9]{1,16}$", example = "ev_42")]
pub struct EventId(pub String);

/// The type of an event, `{domain}.{what-happened}`; `docs/events.json` lists them all, and later
/// versions may add some.
#[derive(ToSchema)]
#[schema(
    value_type = String,
    pattern = "^(suppliers|procurement|inventory|planning|finance|reporting)\\.[a-z]+(-[a-z]+)*$",
    example = "inventory.stock-moved"
)]
pub struct EventType(pub String);

/// A stable code in kebab case; later versions may add some.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "sku-unknown")]
pub struct Code(pub String);

/// Who did something: the subject of the token, or `system`.
#[derive(ToSchema)]
#[schema(
    value_type = String,
    pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,256}$",
    example = "ann"
)]
pub struct Actor(pub String);

/// A hash: SHA-256 in hexadecimal.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^[0-9a-f]{64}$")]
pub struct HashText(pub String);

/// An id, or `*` for all that have no entry of their own.
#[derive(ToSchema)]
#[schema(
    value_type = String,
    pattern = "^(\\*|[A-Za-z0-9][A-Za-z0-9._~-]{0,63})$",
    example = "*"
)]
pub struct IdOrAll(pub String);

/// A ratio in a body: as long as a decimal always holds. One that is computed may be longer.
pub struct GivenRatio(pub Ratio);

impl PartialSchema for GivenRatio {
    fn schema() -> RefOr<Schema> {
        match Ratio::schema() {
            RefOr::T(Schema::Object(ratio)) => {
                let ratio = ObjectBuilder::from(ratio).max_length(Some(MAX_RATIO_LENGTH));
                Schema::Object(ratio.build()).into()
            }
            other => other,
        }
    }
}

impl ToSchema for GivenRatio {}

/// A supply: `stock:NODE` for goods that are there, or `ORDER/LINE/DAY` for an open part of a
/// purchase line.
#[derive(ToSchema)]
#[schema(
    value_type = String,
    pattern = "^(stock:[A-Za-z0-9][A-Za-z0-9._~-]{0,63}|[A-Za-z0-9][A-Za-z0-9._~-]{0,63}/[0-9]{1,10}/[0-9]{4}-[0-9]{2}-[0-9]{2})$",
    example = "stock:OWN"
)]
pub struct SupplyName(pub String);

/// Where goods are: `NODE/STATUS`, or a word for a place that is no node.
#[derive(ToSchema)]
#[schema(
    value_type = String,
    pattern = "^(supplier|customer|transit|loss|found|[A-Za-z0-9][A-Za-z0-9._~-]{0,63}/(sellable|hold|damaged))$",
    example = "OWN/sellable"
)]
pub struct PlaceName(pub String);
