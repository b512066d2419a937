//! `spin.toml` obeys Spin's own rules (manifest version 2), before Spin ever sees it.
//!
//! The shape is Spin's (`crates/manifest` of its sources): unknown keys are errors, names are
//! checked, templates must resolve, a dependency by `component` may have no configuration of its
//! own since it would be dropped silently. Stricter than Spin in three points, because our own host
//! leaves them out: components are not written inline in a trigger, sources are local files, and a
//! route appears once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::template::{self, Defaults};
use crate::check::{offers, plugins};
use crate::compose::{Piece, surface};

/// A manifest of version 2.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    spin_manifest_version: u32,
    application: Application,
    #[serde(default)]
    variables: BTreeMap<String, Variable>,
    trigger: Triggers,
    #[serde(default)]
    component: BTreeMap<String, Component>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read so that an unknown key is an error")]
struct Application {
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    authors: Vec<String>,
    #[serde(default)]
    targets: Vec<toml::Value>,
    #[serde(default)]
    trigger: TriggerDefaults,
    #[serde(default)]
    tool: toml::Table,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TriggerDefaults {
    #[serde(rename = "http")]
    _http: Option<toml::Table>,
    redis: Option<RedisDefaults>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RedisDefaults {
    address: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Variable {
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(default)]
    required: bool,
    default: Option<String>,
    #[serde(default, rename = "secret")]
    _secret: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggers {
    #[serde(default)]
    http: Vec<HttpTrigger>,
    #[serde(default)]
    redis: Vec<RedisTrigger>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpTrigger {
    #[serde(default, rename = "id")]
    _id: String,
    component: String,
    route: Route,
    #[serde(rename = "executor")]
    _executor: Option<toml::Table>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Route {
    Path(String),
    Private { private: bool },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RedisTrigger {
    #[serde(default, rename = "id")]
    _id: String,
    component: String,
    channel: String,
    address: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Component {
    source: String,
    #[serde(default, rename = "description")]
    _description: String,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    files: Vec<toml::Value>,
    #[serde(default, rename = "exclude_files")]
    _exclude_files: Vec<String>,
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    key_value_stores: Vec<String>,
    #[serde(default)]
    sqlite_databases: Vec<String>,
    #[serde(default)]
    ai_models: Vec<String>,
    #[serde(rename = "targets")]
    _targets: Option<Vec<toml::Value>>,
    #[serde(rename = "build")]
    _build: Option<toml::Table>,
    #[serde(default, rename = "tool")]
    _tool: toml::Table,
    dependencies_inherit_configuration: Option<bool>,
    #[serde(default)]
    dependencies: BTreeMap<String, Dependency>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dependency {
    path: Option<String>,
    component: Option<String>,
    #[serde(rename = "export")]
    _export: Option<String>,
    inherit_configuration: Option<toml::Value>,
}

/// Reads and checks a manifest; the built files are not looked at.
pub fn check_file(path: &Path) -> Result<Manifest> {
    let text = fs::read_to_string(path).with_context(|| format!("no {}", path.display()))?;
    check(&text).with_context(|| format!("{} breaks a rule of Spin", path.display()))
}

/// Checks a manifest's text against every rule that needs nothing else.
pub fn check(text: &str) -> Result<Manifest> {
    let manifest: Manifest = toml::from_str(text)?;
    ensure!(manifest.spin_manifest_version == 2, "spin_manifest_version must be 2");
    ensure!(!manifest.application.name.is_empty(), "the application has no name");
    let defaults = check_variables(&manifest)?;
    check_triggers(&manifest, &defaults)?;
    for (id, component) in &manifest.component {
        check_component(&manifest, id, component, &defaults)
            .with_context(|| format!("component {id:?}"))?;
    }
    Ok(manifest)
}

/// Checks the built files that a manifest names: they exist, export exactly what their triggers
/// call, and import only what Spin offers or a dependency meets.
pub fn check_built(manifest: &Manifest, root: &Path) -> Result<()> {
    for (id, component) in &manifest.component {
        let whole = read(root, id, &component.source)?;
        offers::check(&whole)?;
        let mut attached = Vec::new();
        for (name, dependency) in &component.dependencies {
            if let Some(path) = &dependency.path {
                attached.push(read(root, name, path)?);
            }
        }
        plugins::check_attached(&whole, &attached)?;
        let exports = surface(&whole)?.exports;
        let count = |prefix: &str| exports.iter().filter(|name| name.starts_with(prefix)).count();
        let handlers = count("wasi:http/handler@0.3.") + count("wasi:http/incoming-handler@0.2.");
        if manifest.trigger.http.iter().any(|trigger| &trigger.component == id) {
            ensure!(handlers == 1, "{id} exports {handlers} HTTP handlers; Spin wants one");
        }
        let nudges = count("spin:redis/inbound-redis@3.");
        if manifest.trigger.redis.iter().any(|trigger| &trigger.component == id) {
            ensure!(nudges == 1, "{id} exports {nudges} Redis handlers; Spin wants one");
        }
    }
    Ok(())
}

fn read(root: &Path, name: &str, source: &str) -> Result<Piece> {
    let path = root.join(source);
    let bytes = fs::read(&path).with_context(|| format!("no {}", path.display()))?;
    Ok(Piece { name: name.to_owned(), bytes })
}

fn check_variables(manifest: &Manifest) -> Result<Defaults> {
    let mut defaults = Defaults::new();
    for (name, variable) in &manifest.variables {
        check_words(name, '_')?;
        ensure!(
            variable.required != variable.default.is_some(),
            "variable {name:?} needs either `required = true` or a default"
        );
        defaults.insert(name.clone(), variable.default.clone());
    }
    Ok(defaults)
}

fn check_triggers(manifest: &Manifest, defaults: &Defaults) -> Result<()> {
    let known = |component: &str| -> Result<()> {
        ensure!(
            manifest.component.contains_key(component),
            "a trigger names the component {component:?}, which does not exist"
        );
        Ok(())
    };
    let mut routes = BTreeSet::new();
    for trigger in &manifest.trigger.http {
        known(&trigger.component)?;
        match &trigger.route {
            Route::Private { private } => ensure!(private, "a private route says `true`"),
            Route::Path(path) => {
                ensure!(path.starts_with('/'), "the route {path:?} must begin with /");
                let inner = path.strip_suffix("/...").unwrap_or(path);
                ensure!(!inner.contains("..."), "`...` ends a route: {path:?}");
                ensure!(routes.insert(path), "the route {path:?} appears twice");
            }
        }
    }
    let default_address =
        manifest.application.trigger.redis.as_ref().map(|redis| redis.address.as_str());
    for trigger in &manifest.trigger.redis {
        known(&trigger.component)?;
        let Some(address) = trigger.address.as_deref().or(default_address) else {
            bail!("the Redis channel {:?} has no address", trigger.channel);
        };
        for text in [address, &trigger.channel] {
            template::resolve(text, defaults)?;
        }
    }
    Ok(())
}

fn check_component(
    manifest: &Manifest,
    id: &str,
    component: &Component,
    defaults: &Defaults,
) -> Result<()> {
    check_words(id, '-')?;
    for (name, value) in &component.variables {
        check_words(name, '_')?;
        template::resolve(value, defaults)?;
    }
    for host in &component.allowed_outbound_hosts {
        template::check_outbound_host(host, defaults)?;
    }
    let inherits = |dependency: &Dependency| dependency.inherit_configuration.is_some();
    ensure!(
        component.dependencies_inherit_configuration.is_none()
            || !component.dependencies.values().any(inherits),
        "dependencies_inherit_configuration excludes inherit_configuration"
    );
    for (name, dependency) in &component.dependencies {
        ensure!(
            !inherits(dependency) && component.dependencies_inherit_configuration != Some(true),
            "the dependency {name:?} inherits something; a plug-in has no capability"
        );
        match (&dependency.path, &dependency.component) {
            (Some(_), None) => {}
            (None, Some(other)) => {
                let other_component = manifest
                    .component
                    .get(other)
                    .with_context(|| format!("the dependency {name:?} names no component"))?;
                let has = surprises(other_component);
                ensure!(has.is_empty(), "{other:?} cannot be a dependency: it has {has}");
            }
            _ => bail!("the dependency {name:?} needs either `path` or `component`"),
        }
    }
    Ok(())
}

/// Configuration that Spin would drop if this component became a dependency, and so refuses.
fn surprises(component: &Component) -> String {
    [
        ("variables", component.variables.is_empty()),
        ("environment", component.environment.is_empty()),
        ("files", component.files.is_empty()),
        ("allowed_outbound_hosts", component.allowed_outbound_hosts.is_empty()),
        ("key_value_stores", component.key_value_stores.is_empty()),
        ("sqlite_databases", component.sqlite_databases.is_empty()),
        ("ai_models", component.ai_models.is_empty()),
        ("dependencies", component.dependencies.is_empty()),
    ]
    .into_iter()
    .filter_map(|(name, is_empty)| (!is_empty).then_some(name))
    .collect::<Vec<_>>()
    .join(", ")
}

/// Names are lower-case words that begin with a letter: `redis_url`, `my-component`.
fn check_words(name: &str, separator: char) -> Result<()> {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.chars().all(|each| each.is_ascii_lowercase() || each.is_ascii_digit())
    };
    ensure!(name.split(separator).all(is_word), "{name:?} must be words joined by {separator:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_manifest_of_the_project_obeys() {
        let project = crate::project::Project::here().unwrap();
        let manifest = check_file(&project.manifest()).unwrap();
        for domain in crate::project::DOMAINS {
            assert_eq!(
                manifest.component[domain].source,
                format!("target/components/{domain}.wasm"),
                "spin.toml names what the build writes"
            );
        }
        let attached = manifest.component["procurement"].dependencies.values();
        let paths: Vec<&str> = attached.filter_map(|it| it.path.as_deref()).collect();
        assert_eq!(paths, ["target/components/default-approval.wasm"], "the default ships");
    }

    #[test]
    fn each_rule_is_named() {
        let head = "spin_manifest_version = 2\n[application]\nname = \"a\"\n";
        let component = "[component.x]\nsource = \"x.wasm\"\n";
        let http = "[[trigger.http]]\nroute = \"/x/...\"\ncomponent = \"x\"\n";
        check(&format!("{head}{http}{component}")).unwrap();
        for (text, fault) in [
            (format!("{http}{component}speed = 1\n"), "speed"),
            (http.to_owned(), "does not exist"),
            (format!("{http}{http}{component}"), "twice"),
            (
                format!("{http}{component}variables = {{ a = \"{{{{ b }}}}\" }}\n"),
                "unknown variable",
            ),
            (format!("[variables]\na = {{}}\n{http}{component}"), "required"),
            (format!("[variables]\nA = {{ default = \"\" }}\n{http}{component}"), "words"),
            (
                format!("[[trigger.redis]]\nchannel = \"c\"\ncomponent = \"x\"\n{component}"),
                "address",
            ),
            (
                format!(
                    "{http}{component}[component.x.dependencies]\n\
                     \"a:b/c\" = {{ component = \"y\" }}\n\
                     [component.y]\nsource = \"y.wasm\"\nkey_value_stores = [\"default\"]\n"
                ),
                "key_value_stores",
            ),
            (
                format!(
                    "{http}{component}[component.x.dependencies]\n\
                     \"a:b/c\" = {{ path = \"y\", inherit_configuration = true }}\n"
                ),
                "inherits",
            ),
        ] {
            let error = format!("{:#}", check(&format!("{head}{text}")).unwrap_err());
            assert!(error.contains(fault), "{error}");
        }
    }
}
