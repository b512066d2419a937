//! A toy table, and the document that it gives.

use serde::Deserialize;
use tradewind_kernel::money::Money;

use super::*;
use crate::route::Role;
use crate::schema::MAX_MEMBERS;

#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "supplier": "S1", "lines": [{ "quantity": 1 }] }))]
#[allow(dead_code, reason = "only described")]
struct OrderBody {
    supplier: Id,
    #[schema(min_items = 1)]
    lines: Vec<ToyLine>,
    #[serde(flatten)]
    more: OrderMore,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "quantity": 1 }))]
#[allow(dead_code, reason = "only described")]
struct ToyLine {
    #[schema(minimum = 1)]
    quantity: i64,
    weight_grams: Option<i64>,
    price: Option<Money>,
}

#[derive(Deserialize, ToSchema)]
#[allow(dead_code, reason = "only described")]
struct OrderMore {
    #[schema(max_length = 500)]
    reason: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "rate": { "amount": "1.08", "currency": "USD" } }))]
#[allow(dead_code, reason = "only described")]
struct Rate {
    rate: Money,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "only described")]
struct OrderView {
    id: Id,
    #[schema(value_type = Vec<ToyLine>)]
    lines: Vec<()>,
    count: tradewind_kernel::Quantity,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "late", "prices": {} }))]
#[allow(dead_code, reason = "only described")]
struct Reason {
    #[serde(default)]
    prices: std::collections::BTreeMap<Id, Money>,
    #[schema(max_length = 500)]
    reason: Option<String>,
}

const QUERY: &[QueryParameter] = &[
    QueryParameter { name: "sku", required: true, most: 8, form: "id", description: "which" },
    QueryParameter {
        name: "limit",
        required: false,
        most: 1,
        form: "integer",
        description: "most",
    },
];

fn routes() -> Vec<Route<u8>> {
    let buyer = &[Role::Buyer];
    vec![
        Route {
            summary: "Makes an order",
            body: Some(described::<OrderBody>),
            answers: &[(201, Some(described::<OrderView>))],
            ..Route::new(Method::Post, "/procurement/v1/orders", 1, buyer)
        },
        Route {
            summary: "Lists orders",
            query: QUERY,
            answers: &[(200, Some(page::<OrderView>))],
            ..Route::new(Method::Get, "/procurement/v1/orders", 2, Role::READERS)
        },
        Route {
            summary: "Submits an order",
            body: Some(described::<Reason>),
            answers: &[(200, Some(described::<OrderView>))],
            ..Route::new(Method::Post, "/procurement/v1/orders/{id}/submit", 3, buyer)
        },
        Route {
            summary: "Sets a rate",
            body: Some(described::<Rate>),
            answers: &[(200, None), (201, None)],
            ..Route::new(Method::Put, "/procurement/v1/rates/{currency}/{day}", 4, &[Role::Finance])
        },
        Route {
            summary: "Loads lines",
            body: Some(described::<ToyLine>),
            lines: true,
            ..Route::new(Method::Post, "/procurement/v1/history", 5, buyer)
        },
    ]
}

fn published() -> Value {
    serde_json::to_value(document(Domain::Procurement, &routes(), "1.2.3")).unwrap()
}

#[test]
fn the_toy_table_has_no_fault_and_gives_the_same_text_each_time() {
    assert_eq!(faults(Domain::Procurement, &routes()), Vec::<String>::new());
    let text = || document(Domain::Procurement, &routes(), "1").to_pretty_json().unwrap();
    assert_eq!(text(), text());
    if let Ok(path) = std::env::var("OPENAPI_OUT") {
        std::fs::write(path, text()).unwrap();
    }
}

#[test]
fn operations_are_described_whole() {
    let document = published();
    assert_eq!(document["openapi"], "3.1.0");
    let make = &document["paths"]["/procurement/v1/orders"]["post"];
    assert_eq!(make["operationId"], "postProcurementOrders");
    assert_eq!(make["x-roles"], json!(["admin", "buyer"]));
    let body = &make["requestBody"];
    assert_eq!(
        (&body["required"], &body["content"]["application/json"]["schema"]["$ref"]),
        (&json!(true), &json!("#/components/schemas/OrderBody"))
    );
    let headers: Vec<&str> = make["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["name"].as_str().unwrap())
        .collect();
    assert_eq!(headers, ["Idempotency-Key", "Correlation-Id"]);
    assert_eq!(make["parameters"][0]["required"], true);
    let made: Vec<&String> =
        make["responses"]["201"]["headers"].as_object().unwrap().keys().collect();
    assert_eq!(made, ["Correlation-Id", "ETag", "Idempotency-Replayed", "Location"]);
    let statuses: Vec<&String> = make["responses"].as_object().unwrap().keys().collect();
    assert_eq!(
        statuses,
        ["201", "400", "401", "403", "404", "409", "413", "415", "422", "429", "503"]
    );
    let list = &document["paths"]["/procurement/v1/orders"]["get"];
    assert_eq!(list["parameters"][0]["schema"]["type"], "array");
    let submit = &document["paths"]["/procurement/v1/orders/{id}/submit"]["post"];
    assert_eq!(submit["operationId"], "postProcurementOrdersByIdSubmit");
    assert_eq!(submit["requestBody"]["required"], false);
    let rate = &document["paths"]["/procurement/v1/rates/{currency}/{day}"]["put"];
    assert_eq!(rate["parameters"][1]["schema"]["$ref"], "#/components/schemas/Day");
    assert!(rate["responses"]["412"].is_object());
    let load = &document["paths"]["/procurement/v1/history"]["post"];
    assert!(load["requestBody"]["content"]["application/x-ndjson"].is_object());
    assert_eq!(document["paths"]["/procurement/v1/health"]["get"]["security"], json!([]));
}

#[test]
fn schemas_say_what_the_check_does() {
    let schemas = &published()["components"]["schemas"];
    let body = &schemas["OrderBody"];
    assert_eq!(body["additionalProperties"], false);
    let fields: Vec<&String> = body["properties"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["lines", "reason", "supplier"]);
    let weight = &schemas["ToyLine"]["properties"]["weight_grams"];
    assert_eq!(
        (weight["minimum"].as_i64(), weight["maximum"].as_i64()),
        (Some(-1_000_000_000_000_000), Some(1_000_000_000_000_000))
    );
    assert_eq!(schemas["ToyLine"]["properties"]["quantity"]["minimum"], 1);
    assert!(schemas["OrderView"]["additionalProperties"].is_null());
    assert_eq!(schemas["OrderView"]["properties"]["count"]["type"], "integer");
    assert!(schemas["i64"].is_null());
    assert_eq!(schemas["Reason"]["properties"]["prices"]["maxProperties"], MAX_MEMBERS);
    assert_eq!(schemas["Id"]["format"], "id");
}

#[test]
fn faults_are_named() {
    #[derive(ToSchema)]
    #[allow(dead_code, reason = "only described")]
    struct Bad<T> {
        alias: tradewind_kernel::Quantity,
        float: f64,
        #[schema(format = "colour")]
        colour: String,
        #[schema(pattern = "^a$")]
        pattern: String,
        #[schema(value_type = Object)]
        free: Value,
        #[schema(max_length = 9)]
        short: String,
        days: Vec<tradewind_kernel::Day>,
        share: tradewind_kernel::Ratio,
        inner: T,
    }
    mod other {
        #[derive(utoipa::ToSchema)]
        #[allow(dead_code, reason = "only described")]
        pub struct ToyLine {
            pub other: bool,
        }
        #[derive(utoipa::ToSchema)]
        #[allow(dead_code, reason = "only described")]
        pub struct Outer {
            pub line: ToyLine,
        }
    }
    let mut routes = routes();
    routes.push(Route {
        body: Some(described::<Bad<Reason>>),
        answers: &[(404, Some(described::<other::Outer>))],
        ..Route::new(Method::Get, "/inventory/v1/x", 9, &[])
    });
    routes.push(Route { summary: "Again", ..Route::new(Method::Get, "/inventory/v1/x", 9, &[]) });
    routes.retain(|route| route.op != 3);
    assert_eq!(
        faults(Domain::Procurement, &routes),
        [
            "#/components/schemas/Reason leads nowhere",
            "GET /inventory/v1/x: another operation has this method and form of path",
            "GET /inventory/v1/x: answers what is neither a success nor 503",
            "GET /inventory/v1/x: has a body",
            "GET /inventory/v1/x: has no summary",
            "GET /inventory/v1/x: lies outside the domain",
            "`Bad` has a binary float",
            "`Bad` has a list of any length",
            "`Bad` has a pattern, which is not checked",
            "`Bad` has a text of any length",
            "`Bad` has the format `colour`, which is not checked",
            "`Bad` says nothing of its fields",
            "`Bad` shows no example",
            "`Ratio` has a text of any length",
            "a body has an alias of `i64`; write i64 in its place",
            "two types are called `ToyLine`",
        ]
    );
}
