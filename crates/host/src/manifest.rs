//! The application manifest: `spin.toml`, version 2, read strictly.
//!
//! A key that this host does not know is an error that names it, never ignored: an ignored
//! setting would make the embedded host and Spin run two different applications. What Spin
//! knows and this host leaves out is listed in `docs/host.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::plugin;

/// The only manifest version that Spin 2 and later write.
const MANIFEST_VERSION: u32 = 2;

/// A whole `spin.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Must be 2.
    pub spin_manifest_version: u32,
    /// Name and the settings that hold for all triggers of a kind.
    pub application: Application,
    /// Variables that the operator may set.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    /// What calls the components.
    #[serde(default)]
    pub trigger: Triggers,
    /// The components by id.
    #[serde(default)]
    pub component: BTreeMap<String, Component>,
}

/// `[application]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// The application's name.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub version: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// For people.
    #[serde(default)]
    pub authors: Vec<String>,
    /// Settings for all triggers of a kind.
    #[serde(default)]
    pub trigger: TriggerDefaults,
}

/// `[application.trigger]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriggerDefaults {
    /// Settings for all Redis triggers.
    pub redis: Option<RedisDefaults>,
}

/// `[application.trigger.redis]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisDefaults {
    /// The server of the triggers that name none; a template.
    pub address: String,
}

/// One entry of `[variables]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// The value when the operator gives none.
    pub default: Option<String>,
    /// Whether the operator must give a value.
    #[serde(default)]
    pub required: bool,
    /// Whether the value must not be shown.
    #[serde(default)]
    pub secret: bool,
    /// For people.
    #[serde(default)]
    pub description: String,
}

/// `[[trigger.…]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    /// Routes.
    #[serde(default)]
    pub http: Vec<HttpTrigger>,
    /// Subscriptions.
    #[serde(default)]
    pub redis: Vec<RedisTrigger>,
}

/// One `[[trigger.http]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTrigger {
    /// For people.
    #[serde(default)]
    pub id: String,
    /// Which paths the component answers.
    pub route: Route,
    /// The component's id.
    pub component: String,
}

/// A route: a path, or `{ private = true }` for a component that nobody outside reaches.
#[derive(Debug, Deserialize)]
#[serde(try_from = "toml::Value")]
pub enum Route {
    /// An exact path, or a prefix when it ends in `/...`.
    Path(String),
    /// Not served to the outside.
    Private,
}

impl TryFrom<toml::Value> for Route {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        if let toml::Value::String(path) = value {
            return Ok(Route::Path(path));
        }
        let private = value.as_table().filter(|table| table.len() == 1);
        match private.and_then(|table| table.get("private")) {
            Some(toml::Value::Boolean(true)) => Ok(Route::Private),
            _ => Err("a route is a path or `{ private = true }`".to_owned()),
        }
    }
}

/// One `[[trigger.redis]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisTrigger {
    /// For people.
    #[serde(default)]
    pub id: String,
    /// The server; a template. Left out: the one of `[application.trigger.redis]`.
    pub address: Option<String>,
    /// The channel; a template.
    pub channel: String,
    /// The component's id.
    pub component: String,
}

/// One `[component.…]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The .wasm file, beside the manifest.
    pub source: Source,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Where the component may connect to; templates.
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    /// What the component sees as its variables; templates.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// The component's environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Directories that the component may read.
    #[serde(default)]
    pub files: Vec<Mount>,
    /// Plug-ins that meet its imports.
    #[serde(default)]
    pub dependencies: BTreeMap<String, Dependency>,
    /// Whether dependencies share this component's capabilities.
    #[serde(default)]
    pub dependencies_inherit_configuration: bool,
    /// How to build it: `spin build` and `cargo xtask build` do that, never the host.
    #[serde(default)]
    pub build: Option<toml::Table>,
}

/// Where a component's bytes are.
#[derive(Debug, Deserialize)]
#[serde(try_from = "toml::Value")]
pub struct Source(pub PathBuf);

impl TryFrom<toml::Value> for Source {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        match value {
            toml::Value::String(path) => Ok(Source(PathBuf::from(path))),
            _ => Err("a source is a path to a .wasm file; this host downloads nothing".to_owned()),
        }
    }
}

/// A plug-in: the file of a component that meets an import. It inherits nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// The .wasm file, beside the manifest.
    pub path: PathBuf,
}

/// A directory that a component may read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// The directory, beside the manifest.
    pub source: PathBuf,
    /// The absolute path at which the component sees it.
    pub destination: String,
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// The file cannot be read, a key is unknown, or the parts do not fit together.
    pub fn read(path: &Path) -> anyhow::Result<Manifest> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the manifest {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    /// Parses and checks a manifest's text.
    ///
    /// # Errors
    /// A key is unknown, or the parts do not fit together.
    pub fn parse(text: &str) -> anyhow::Result<Manifest> {
        let manifest: Manifest = toml::from_str(text).map_err(|error| one_line(text, &error))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.spin_manifest_version == MANIFEST_VERSION,
            "spin_manifest_version is {}; this host reads version {MANIFEST_VERSION}",
            self.spin_manifest_version
        );
        for (name, variable) in &self.variables {
            ensure!(is_snake(name), "variable name `{name}` is not lower snake case");
            ensure!(
                variable.required != variable.default.is_some(),
                "variable `{name}` needs either `required = true` or a `default`"
            );
        }
        let of_http = self.trigger.http.iter().map(|trigger| &trigger.component);
        let of_redis = self.trigger.redis.iter().map(|trigger| &trigger.component);
        for id in of_http.chain(of_redis) {
            ensure!(self.component.contains_key(id), "a trigger names component `{id}`: unknown");
        }
        for trigger in &self.trigger.redis {
            ensure!(
                trigger.address.is_some() || self.application.trigger.redis.is_some(),
                "the redis trigger of `{}` has no address, nor has [application.trigger.redis]",
                trigger.component
            );
        }
        self.component.iter().try_for_each(|(id, component)| component.check(id))
    }
}

impl Component {
    fn check(&self, id: &str) -> anyhow::Result<()> {
        self.dependencies.keys().try_for_each(|name| plugin::check_name(id, name))?;
        ensure!(
            !self.dependencies_inherit_configuration,
            "component `{id}` sets `dependencies_inherit_configuration`: a plug-in inherits nothing"
        );
        for name in self.variables.keys() {
            ensure!(is_snake(name), "variable `{name}` of `{id}` is not lower snake case");
        }
        for mount in &self.files {
            ensure!(
                mount.destination.starts_with('/'),
                "component `{id}`: the destination `{}` is not absolute",
                mount.destination
            );
        }
        Ok(())
    }
}

/// Lower snake case as Spin takes it: letters, digits and single underscores between them.
pub fn is_snake(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('_')
        && !name.contains("__")
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The parser's message without its picture of the source, with the line in front.
fn one_line(text: &str, error: &toml::de::Error) -> anyhow::Error {
    let message = error.message().replace('\n', " ");
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return anyhow::anyhow!("{message}");
    };
    anyhow::anyhow!("line {}: {message}", before.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"a\"\n";

    #[test]
    fn an_unknown_key_is_named() {
        for (text, key) in [
            ("[component.x]\nsource = \"x.wasm\"\nkey_value_stores = []\n", "key_value_stores"),
            ("[extra]\n", "extra"),
            ("[[trigger.http]]\nroute = \"/\"\ncomponent = \"x\"\nexecutor = {}\n", "executor"),
            ("[[trigger.mqtt]]\n", "mqtt"),
        ] {
            let error = Manifest::parse(&format!("{HEAD}{text}")).unwrap_err();
            assert!(format!("{error:#}").contains(key), "{error:#}");
        }
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        for (text, part) in [
            ("[[trigger.http]]\nroute = \"/\"\ncomponent = \"x\"\n", "`x`: unknown"),
            ("[[trigger.http]]\nroute = 3\ncomponent = \"x\"\n", "a route is a path"),
            ("[variables]\na = { required = true, default = \"\" }\n", "`a` needs either"),
            ("[variables]\nA = { required = true }\n", "snake"),
            ("[component.x]\nsource = { url = \"u\" }\n", "downloads nothing"),
            (
                "[component.x]\nsource = \"x\"\n[component.x.dependencies]\n\"a:b\" = { path = \"p\" }\n",
                "`a:b`",
            ),
            (
                "[component.x]\nsource = \"x\"\n[component.x.dependencies]\n\
                 \"tradewind:plugin/approval@0.1.0\" = { path = \"p\", inherit_configuration = true }\n",
                "inherit_configuration",
            ),
        ] {
            let error = Manifest::parse(&format!("{HEAD}{text}")).unwrap_err();
            assert!(format!("{error:#}").contains(part), "{error:#}");
        }
    }

    /// Our own manifest with changes of chance: it is read, or refused in one line.
    #[test]
    fn changed_manifests_are_read_or_refused_in_words() {
        let own = include_str!("../../../spin.toml");
        Manifest::parse(own).unwrap();
        let sharp = b"=[]{}\"'.,#\n\\ \xffa0-";
        let mut state = 1_u64;
        let mut draw = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(state >> 33).unwrap() % below
        };
        for _ in 0..2_000 {
            let mut bytes = own.as_bytes().to_vec();
            for _ in 0..=draw(3) {
                let place = draw(bytes.len());
                match draw(3) {
                    0 => bytes[place] = sharp[draw(sharp.len())],
                    1 => drop(bytes.remove(place)),
                    _ => bytes.insert(place, sharp[draw(sharp.len())]),
                }
            }
            if let Err(error) = Manifest::parse(&String::from_utf8_lossy(&bytes)) {
                let said = format!("{error:#}");
                assert!(!said.is_empty() && !said.contains('\n'), "{said}");
            }
        }
    }
}
