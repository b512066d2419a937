//! The table of routes and the shapes of answers.

use serde::Serialize;
use tradewind_kernel::published::Version;
use tradewind_kernel::{Id, Instant};
use tradewind_shell::http::Method::{Get, Post, Put};
use tradewind_shell::route::{QueryParameter, Role, Route, described};
use utoipa::ToSchema;

use crate::backtest::Forecast;
use crate::history::{HistoryLine, Loaded, Looked};
use crate::policy::{Policy, SetPolicy};
use crate::promotion::{Promotion, PromotionView, SetPromotion};
use crate::proposal::{Proposal, Run, StartRun};

/// What planning does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Operation {
    SetPromotion,
    GetPromotion,
    ListPromotions,
    SetPolicy,
    GetPolicy,
    ListPolicies,
    LoadHistory,
    GetForecast,
    StartRun,
    GetRun,
    ListProposals,
}

/// A promotion as it was set.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PromotionSet {
    /// The promotion.
    #[serde(flatten)]
    pub promotion: Promotion,
    /// What `If-Match` names.
    #[schema(value_type = Version)]
    pub version: String,
}

/// A promotion and what it is short of.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PromotionShown {
    /// The promotion.
    #[serde(flatten)]
    pub view: PromotionView,
    /// What `If-Match` names.
    #[schema(value_type = Version)]
    pub version: String,
}

/// A policy as it was set.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PolicyShown {
    /// The policy.
    #[serde(flatten)]
    pub policy: Policy,
    /// What `If-Match` names.
    #[schema(value_type = Version)]
    pub version: String,
}

/// A run and how far it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RunShown {
    /// Its id.
    pub id: Id,
    /// The run.
    #[serde(flatten)]
    pub run: Run,
    /// Changes whenever the run gets on.
    #[schema(value_type = Version)]
    pub version: String,
}

/// A page of promotions.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Promotions {
    /// By id.
    pub items: Vec<PromotionShown>,
    /// The cursor of the next page; null after the last.
    #[schema(format = "cursor")]
    pub next: Option<String>,
}

/// A page of policies.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Policies {
    /// By item and node.
    pub items: Vec<PolicyShown>,
    /// The cursor of the next page; null after the last.
    #[schema(format = "cursor")]
    pub next: Option<String>,
}

/// A page of proposals.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Proposals {
    /// By id.
    pub items: Vec<Proposal>,
    /// The cursor of the next page; null after the last.
    #[schema(format = "cursor")]
    pub next: Option<String>,
}

/// A run that was asked for.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Started {
    /// Its id.
    pub id: Id,
    /// When it was asked for.
    pub at: Instant,
}

/// The forecast of an item in a channel.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ForecastView {
    /// The item.
    pub sku: Id,
    /// The channel.
    pub channel: Id,
    /// From when to when was looked at; the forecast begins the day after.
    #[serde(flatten)]
    pub looked: Looked,
    /// The forecast.
    #[serde(flatten)]
    pub forecast: Forecast,
}

const PLANNERS: &[Role] = &[Role::Planner];

const fn query(
    name: &'static str,
    form: &'static str,
    description: &'static str,
) -> QueryParameter {
    QueryParameter { name, required: false, most: 1, form, description }
}

const AFTER: QueryParameter = query("after", "string", "the cursor of the page before");
const LIMIT: QueryParameter = query("limit", "integer", "at most so many");
const PAGE: &[QueryParameter] = &[AFTER, LIMIT];
const OF_ITEM: &[QueryParameter] = &[query("sku", "id", "only of this item"), AFTER, LIMIT];

/// Everything that planning answers.
pub const ROUTES: &[Route<Operation>] = &[
    Route {
        summary: "Makes or changes a promotion",
        body: Some(described::<SetPromotion>),
        answers: &[(200, Some(described::<PromotionSet>)), (201, Some(described::<PromotionSet>))],
        ..Route::new(Put, "/planning/v1/promotions/{id}", Operation::SetPromotion, PLANNERS)
    },
    Route {
        summary: "A promotion and what it is short of",
        answers: &[(200, Some(described::<PromotionShown>))],
        ..Route::new(Get, "/planning/v1/promotions/{id}", Operation::GetPromotion, Role::READERS)
    },
    Route {
        summary: "Promotions, by id",
        query: PAGE,
        answers: &[(200, Some(described::<Promotions>))],
        ..Route::new(Get, "/planning/v1/promotions", Operation::ListPromotions, Role::READERS)
    },
    Route {
        summary: "Sets how sure stock of an item at a node must be; `*` is the default of the rest",
        body: Some(described::<SetPolicy>),
        answers: &[(200, Some(described::<PolicyShown>)), (201, Some(described::<PolicyShown>))],
        ..Route::new(Put, "/planning/v1/policies/{sku}/{node}", Operation::SetPolicy, PLANNERS)
    },
    Route {
        summary: "The policy that was set for exactly this item and node",
        answers: &[(200, Some(described::<PolicyShown>))],
        ..Route::new(Get, "/planning/v1/policies/{sku}/{node}", Operation::GetPolicy, Role::READERS)
    },
    Route {
        summary: "Policies, by item and node",
        query: PAGE,
        answers: &[(200, Some(described::<Policies>))],
        ..Route::new(Get, "/planning/v1/policies", Operation::ListPolicies, Role::READERS)
    },
    Route {
        summary: "Loads demand history, a JSON line each, up to 500,000; a faulty line, and nothing is loaded",
        body: Some(described::<HistoryLine>),
        lines: true,
        answers: &[(200, Some(described::<Loaded>))],
        ..Route::new(Post, "/planning/v1/history", Operation::LoadHistory, PLANNERS)
    },
    Route {
        summary: "The forecast of an item in a channel, and how it was chosen",
        answers: &[(200, Some(described::<ForecastView>))],
        ..Route::new(
            Get,
            "/planning/v1/forecasts/{sku}/{channel}",
            Operation::GetForecast,
            Role::READERS,
        )
    },
    Route {
        summary: "Starts a planning run over all items",
        body: Some(described::<StartRun>),
        answers: &[(201, Some(described::<Started>))],
        ..Route::new(Post, "/planning/v1/runs", Operation::StartRun, PLANNERS)
    },
    Route {
        summary: "How far a planning run has come",
        answers: &[(200, Some(described::<RunShown>))],
        ..Route::new(Get, "/planning/v1/runs/{id}", Operation::GetRun, Role::READERS)
    },
    Route {
        summary: "What the last run proposes to buy, with every figure behind it; by id",
        query: OF_ITEM,
        answers: &[(200, Some(described::<Proposals>))],
        ..Route::new(Get, "/planning/v1/proposals", Operation::ListProposals, Role::READERS)
    },
];
