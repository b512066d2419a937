//! Routes: what a domain answers, to whom, and how it is described.
//!
//! A domain has one table of [`Route`]s. The table drives matching, the check of roles, the check
//! of the body against its schema, and the published OpenAPI document, so they cannot disagree.

use tradewind_kernel::{Currency, Day, Id};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::http::Method;

pub use tradewind_kernel::role::Role;

/// A type's schema and the schemas that it refers to.
pub struct Described {
    /// The type's name.
    pub name: String,
    /// Its schema.
    pub schema: RefOr<Schema>,
    /// What it refers to, by name; itself not included.
    pub parts: Vec<(String, RefOr<Schema>)>,
}

/// Says what a type looks like.
pub type Describe = fn() -> Described;

/// Describes a type; the form in which a route names its body and answers.
#[must_use]
pub fn described<T: ToSchema>() -> Described {
    let mut parts = Vec::new();
    T::schemas(&mut parts);
    Described { name: T::name().into_owned(), schema: T::schema(), parts }
}

/// A parameter of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryParameter {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// How often it may be given; one that may be given more than once is a list.
    pub most: usize,
    /// Its form, as in OpenAPI: `string`, `integer`, the words that it can be with `|` between them
    /// (`open|closed`: others are refused), a range of integers (`1..53`, both included: published
    /// here, checked by the domain), or a format of the shell's schema check such as `date` and
    /// `id`.
    pub form: &'static str,
    /// What it is, for the documents.
    pub description: &'static str,
}

impl QueryParameter {
    /// The least and the greatest of a range of integers.
    pub(crate) fn range(&self) -> Option<(i64, i64)> {
        let (least, most) = self.form.split_once("..")?;
        Some((least.parse().ok()?, most.parse().ok()?))
    }

    /// The form that this value does not have, in words. Texts of no checked form always fit.
    pub(crate) fn misses(&self, value: &str) -> Option<String> {
        let (fits, form) = match self.form {
            "id" => (value.parse::<Id>().is_ok(), "an id"),
            "date" => (value.parse::<Day>().is_ok(), "a day such as 2026-12-31"),
            "currency" => (value.parse::<Currency>().is_ok(), "a currency such as USD"),
            range if range == "integer" || self.range().is_some() => {
                (value.parse::<i64>().is_ok() && !value.starts_with('+'), "a whole number")
            }
            "boolean" => (value.parse::<bool>().is_ok(), "true or false"),
            words if words.contains('|') => {
                let fits = words.split('|').any(|word| word == value);
                return (!fits).then(|| format!("one of {}", words.replace('|', ", ")));
            }
            _ => (true, ""),
        };
        (!fits).then(|| form.to_owned())
    }
}

/// One thing that a domain answers.
pub struct Route<Op: 'static> {
    /// The method.
    pub method: Method,
    /// The path, with `{name}` for a parameter: `/inventory/v1/items/{sku}`.
    pub path: &'static str,
    /// What the domain does.
    pub op: Op,
    /// Who may; every list that allows a role allows admin, which need not be named.
    pub roles: &'static [Role],
    /// One line for the documents.
    pub summary: &'static str,
    /// The body's type, if there is one.
    pub body: Option<Describe>,
    /// The body is JSON lines and may be large.
    pub lines: bool,
    /// Parameters of the query; anything else in the query is refused.
    pub query: &'static [QueryParameter],
    /// The answer's statuses and types; problems are added to the documents for all.
    pub answers: &'static [(u16, Option<Describe>)],
}

impl<Op: Copy> Route<Op> {
    /// A route without body, query or described answers; fill in the rest with `..`.
    #[must_use]
    pub const fn new(method: Method, path: &'static str, op: Op, roles: &'static [Role]) -> Self {
        let summary = "";
        Self {
            method,
            path,
            op,
            roles,
            summary,
            body: None,
            lines: false,
            query: &[],
            answers: &[],
        }
    }

    /// The parameters of the path, if this route is meant.
    #[must_use]
    pub fn matches(&self, path: &str) -> Option<Vec<(&'static str, String)>> {
        // Most routes are another one: told by the first byte that differs, without taking both apart.
        let mut bytes = path.bytes();
        let mut fixed = self.path.bytes().take_while(|byte| *byte != b'{');
        if fixed.any(|byte| bytes.next() != Some(byte)) {
            return None;
        }
        let mut parameters = Vec::new();
        let mut wanted = self.path.split('/');
        let mut given = path.split('/');
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return Some(parameters),
                (Some(pattern), Some(part)) => {
                    match pattern.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                        Some(name) => {
                            let value = crate::http::percent_decode(part, false)?;
                            parameters.push((name, value));
                        }
                        None if pattern == part => {}
                        None => return None,
                    }
                }
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_whole() {
        let route = Route::new(Method::Get, "/x/v1/orders/{id}/submit", (), &[]);
        assert_eq!(
            route.matches("/x/v1/orders/po%5f1/submit"),
            Some(vec![("id", "po_1".to_owned())])
        );
        for path in ["/x/v1/orders/1", "/x/v1/orders/1/submit/", "/x/v1/orders/1/approve"] {
            assert_eq!(route.matches(path), None, "{path}");
        }
    }
}
