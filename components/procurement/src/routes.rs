//! What procurement answers, and to whom.

use tradewind_shell::http::Method;
use tradewind_shell::openapi::page;
use tradewind_shell::route::{Described, QueryParameter, Role, Route, described};

use crate::confirmation::Confirmation;
use crate::draft::Draft;
use crate::ending::Reason;
use crate::order::OrderAnswer;
use crate::policy::{Policy, PolicyAnswer};
use crate::receipt::{Arrival, Receipt};

/// What can be asked of procurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the routes say it")]
pub enum Operation {
    Raise,
    Order,
    ListOrders,
    Act(Action),
    Confirm,
    Receive,
    ListReceipts,
    Receipt,
    SetPolicy,
    Policy,
}

/// What can be done with an order without further figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the routes say it")]
pub enum Action {
    Submit,
    Approve,
    Reject,
    Release,
    Accept,
    Cancel,
    Close,
}

const AFTER: QueryParameter = QueryParameter {
    name: "after",
    required: false,
    most: 1,
    form: "id",
    description: "the id of the last item seen",
};

const LIMIT: QueryParameter = QueryParameter {
    name: "limit",
    required: false,
    most: 1,
    form: "integer",
    description: "at most so many",
};

const ORDERS: &[QueryParameter] = &[
    QueryParameter {
        name: "status",
        required: false,
        most: 1,
        form: "draft|submitted|approved|rejected|released|confirmed|received|closed|cancelled",
        description: "orders of this status alone",
    },
    QueryParameter {
        name: "supplier",
        required: false,
        most: 1,
        form: "id",
        description: "orders to this supplier alone",
    },
    AFTER,
    LIMIT,
];

/// Those who may hold a step of an approval; which of them does is the policy's to say.
const APPROVERS: &[Role] =
    &[Role::Approver, Role::Buyer, Role::Planner, Role::Warehouse, Role::Finance];

type Answered = (u16, Option<fn() -> Described>);

const ANSWERS: &[Answered] = &[(200, Some(described::<OrderAnswer>))];

const fn act(
    path: &'static str,
    action: Action,
    roles: &'static [Role],
    summary: &'static str,
) -> Route<Operation> {
    Route {
        summary,
        body: Some(described::<Reason>),
        answers: ANSWERS,
        ..Route::new(Method::Post, path, Operation::Act(action), roles)
    }
}

/// Everything that procurement answers.
pub const ROUTES: &[Route<Operation>] = &[
    Route {
        summary: "Raises an order as a draft",
        body: Some(described::<Draft>),
        answers: &[(201, Some(described::<OrderAnswer>))],
        ..Route::new(Method::Post, "/procurement/v1/orders", Operation::Raise, &[Role::Buyer])
    },
    Route {
        summary: "Orders by id; a partner's are those released to its supplier, and a page of them \
                  may hold fewer than `limit` though `next` leads on",
        query: ORDERS,
        answers: &[(200, Some(page::<OrderAnswer>))],
        ..Route::new(
            Method::Get,
            "/procurement/v1/orders",
            Operation::ListOrders,
            Role::READERS_AND_PARTNERS,
        )
    },
    Route {
        summary: "An order",
        answers: ANSWERS,
        ..Route::new(
            Method::Get,
            "/procurement/v1/orders/{order}",
            Operation::Order,
            Role::READERS_AND_PARTNERS,
        )
    },
    act(
        "/procurement/v1/orders/{order}/submit",
        Action::Submit,
        &[Role::Buyer],
        "Puts a draft before its approvers",
    ),
    act(
        "/procurement/v1/orders/{order}/approve",
        Action::Approve,
        APPROVERS,
        "Gives the next step of an order's approval; nobody approves what they raised",
    ),
    act(
        "/procurement/v1/orders/{order}/reject",
        Action::Reject,
        APPROVERS,
        "Says no to an order, for good",
    ),
    act(
        "/procurement/v1/orders/{order}/release",
        Action::Release,
        &[Role::Buyer],
        "Releases an approved order to its supplier",
    ),
    act(
        "/procurement/v1/orders/{order}/accept",
        Action::Accept,
        &[Role::Approver],
        "Accepts the confirmed prices that wait",
    ),
    act(
        "/procurement/v1/orders/{order}/cancel",
        Action::Cancel,
        &[Role::Buyer],
        "Cancels an order of which nothing came",
    ),
    act(
        "/procurement/v1/orders/{order}/close",
        Action::Close,
        &[Role::Buyer],
        "Closes an order: what is open will not come",
    ),
    Route {
        summary: "Takes in what the supplier confirms",
        body: Some(described::<Confirmation>),
        answers: ANSWERS,
        ..Route::new(
            Method::Post,
            "/procurement/v1/orders/{order}/confirmations",
            Operation::Confirm,
            &[Role::Buyer, Role::Partner],
        )
    },
    Route {
        summary: "Takes in what came",
        body: Some(described::<Arrival>),
        answers: &[(201, Some(described::<Receipt>))],
        ..Route::new(
            Method::Post,
            "/procurement/v1/orders/{order}/receipts",
            Operation::Receive,
            &[Role::Warehouse],
        )
    },
    Route {
        summary: "The receipts of an order",
        query: &[AFTER, LIMIT],
        answers: &[(200, Some(page::<Receipt>))],
        ..Route::new(
            Method::Get,
            "/procurement/v1/orders/{order}/receipts",
            Operation::ListReceipts,
            Role::READERS,
        )
    },
    Route {
        summary: "A receipt",
        answers: &[(200, Some(described::<Receipt>))],
        ..Route::new(
            Method::Get,
            "/procurement/v1/orders/{order}/receipts/{receipt}",
            Operation::Receipt,
            Role::READERS,
        )
    },
    Route {
        summary: "Replaces the approval policy; without rules every order needs one approver",
        body: Some(described::<Policy>),
        answers: &[(200, Some(described::<PolicyAnswer>)), (201, Some(described::<PolicyAnswer>))],
        ..Route::new(
            Method::Put,
            "/procurement/v1/policies/approval",
            Operation::SetPolicy,
            &[Role::Admin],
        )
    },
    Route {
        summary: "The approval policy",
        answers: &[(200, Some(described::<PolicyAnswer>))],
        ..Route::new(
            Method::Get,
            "/procurement/v1/policies/approval",
            Operation::Policy,
            Role::READERS,
        )
    },
];
