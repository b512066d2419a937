//! A wasm toolchain from Debian's packages alone, for machines whose rustup cannot fetch targets.
//!
//! Debian ships a current compiler with its library source (`rustc-web`, `rust-web-src`) and, in
//! trixie, a wasi-libc that knows wasip2. From these the standard library is built once and laid
//! out as a toolchain folder, which rustup links. Afterwards `cargo +tradewind-wasm build
//! --target wasm32-wasip2` is plain: no flags, any profile, no bootstrap switch.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{LINKED_NAME, TARGET, has_library};
use crate::command::{ask, command, is_installed, run};
use crate::packages;

/// Debian's packages of a current compiler and its library source; they leave rustup's alone.
const PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];

/// The first Debian release whose wasi-libc has wasip2; only that one package is taken from it.
const WASI_RELEASE: &str = "trixie";

/// The keyring of Debian's own package `debian-archive-keyring`, present on every Debian.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Names the compiler that the library was built by: an upgraded one needs a new library.
const STAMP: &str = "built-by";

/// The files of wasi-libc that the linker looks for beside the standard library.
const SELF_CONTAINED: [&str; 3] = ["crt1-command.o", "crt1-reactor.o", "libc.a"];

/// True where this recipe can work at all.
pub fn applies() -> bool {
    Path::new("/etc/debian_version").exists() && is_installed("apt-get") && is_installed("rustup")
}

/// True when the toolchain is there, linked, and made by the compiler that is installed now.
pub fn is_ready() -> bool {
    let built_by = fs::read_to_string(cache_folder().join("toolchain").join(STAMP)).ok();
    let linked = ask(&mut command("rustc", [&format!("+{LINKED_NAME}"), "-vV"]));
    let sysroot = ask(&mut command("rustc", [&format!("+{LINKED_NAME}"), "--print", "sysroot"]));
    let ours = sysroot.is_some_and(|path| Path::new(&path) == cache_folder().join("toolchain"));
    ours && built_by.is_some() && built_by == linked
}

/// Builds the standard library, lays out the toolchain and links it.
pub fn build(root: &Path) -> Result<()> {
    packages::apt_install(&PACKAGES)?;
    let compiler = Compiler::find()?;
    let cache = cache_folder();
    let work = cache.join("work");
    for folder in [&work, &cache.join("toolchain")] {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
    }
    let libc = fetch_wasi_libc(&work)?;
    let rustup = rustup_sysroot(root)?;
    let libraries = build_library(&work, &libc, &compiler, &rustup)?;
    lay_out(&cache.join("toolchain"), &compiler, &rustup, &libraries, &libc)?;
    run(command("rustup", ["toolchain", "link", LINKED_NAME]).arg(cache.join("toolchain")))?;
    fs::write(cache.join("toolchain").join(STAMP), &compiler.version)?;
    fs::remove_dir_all(&work)?;
    if !is_ready() {
        bail!("the toolchain {LINKED_NAME} was built, but rustup does not run it");
    }
    Ok(())
}

/// A machine-wide cache, not the project: the link outlives a clone, and clones share it.
fn cache_folder() -> PathBuf {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
        .unwrap_or_else(std::env::temp_dir);
    base.join("tradewind-wasm")
}

/// Debian's compiler: where it is and what it says of itself.
struct Compiler {
    path: String,
    sysroot: String,
    host: String,
    version: String,
}

impl Compiler {
    fn find() -> Result<Self> {
        let files = ask(&mut command("dpkg", ["-L", PACKAGES[0]])).unwrap_or_default();
        let path = files
            .lines()
            .find(|line| line.ends_with("/bin/rustc"))
            .with_context(|| format!("the package {} has no rustc", PACKAGES[0]))?
            .to_owned();
        let version = ask(&mut command(&path, ["-vV"])).context("Debian's rustc does not run")?;
        let host = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .context("Debian's rustc does not name its host")?
            .to_owned();
        let sysroot = ask(&mut command(&path, ["--print", "sysroot"]))
            .context("Debian's rustc does not name its sysroot")?;
        Ok(Self { path, sysroot, host, version })
    }
}

/// The folder of the project's rustup toolchain, which lends cargo and the linker.
fn rustup_sysroot(root: &Path) -> Result<PathBuf> {
    ask(command("rustc", ["--print", "sysroot"]).current_dir(root))
        .map(PathBuf::from)
        .context("rustup's rustc does not name its sysroot")
}

/// Downloads and unpacks wasi-libc without touching the system's sources or its package state.
/// The mirror is the one the system's own sources name.
fn fetch_wasi_libc(work: &Path) -> Result<PathBuf> {
    let mirror = ask(&mut command(
        "apt-get",
        ["indextargets", "--format", "$(SITE)", "Created-By: Packages", "Label: Debian"],
    ))
    .and_then(|sites| sites.lines().next().map(str::to_owned))
    .context("the system's apt sources name no Debian mirror")?;
    let list = work.join("wasi.list");
    fs::write(&list, format!("deb [signed-by={KEYRING}] {mirror} {WASI_RELEASE} main\n"))?;
    for folder in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(work.join(folder))?;
    }
    let apt = |arguments: &[&str]| -> Result<()> {
        let mut apt = command("apt-get", ["-qq", "-o", "APT::Sandbox::User=root"]);
        for (option, place) in [
            ("Dir::Etc::sourcelist", list.clone()),
            ("Dir::Etc::sourceparts", work.join("none")),
            ("Dir::State::Lists", work.join("lists")),
            ("Dir::Cache", work.join("cache")),
        ] {
            apt.arg("-o").arg(format!("{option}={}", place.display()));
        }
        run(apt.args(arguments).current_dir(work))
    };
    apt(&["-o", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false", "update"])?;
    apt(&["download", "wasi-libc"])?;
    let package = fs::read_dir(work)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("apt-get downloaded no wasi-libc")?;
    run(command("dpkg", ["-x"]).arg(&package).arg(work.join("wasi-libc")))?;
    let libraries = work.join("wasi-libc/usr/lib").join(TARGET);
    if !libraries.join("libc.a").exists() {
        bail!("the wasi-libc of {WASI_RELEASE} has no {TARGET}");
    }
    Ok(libraries)
}

/// Builds the standard library in an empty crate; returns the folder of its compiled parts.
fn build_library(work: &Path, libc: &Path, compiler: &Compiler, rustup: &Path) -> Result<PathBuf> {
    let empty = work.join("empty");
    fs::create_dir_all(empty.join("src"))?;
    fs::write(
        empty.join("Cargo.toml"),
        "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n",
    )?;
    fs::write(empty.join("src/lib.rs"), "")?;
    let flags = format!("-C link-self-contained=no -L native={}", libc.display());
    let target = empty.join("target");
    run(command(rustup.join("bin/cargo"), ["build", "--release", "--target", TARGET])
        .arg("-Zbuild-std=std,panic_abort,proc_macro")
        .current_dir(&empty)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC", &compiler.path)
        .env("RUSTFLAGS", flags)
        .env("CARGO_TARGET_DIR", &target))?;
    let libraries = target.join(TARGET).join("release/deps");
    if !has_library(&libraries, "libstd-") {
        bail!("the standard library was not built");
    }
    Ok(libraries)
}

/// Lays out a folder that rustup takes for a toolchain: Debian's compiler and host library, the
/// new target library, rustup's cargo and linkers.
fn lay_out(
    folder: &Path,
    compiler: &Compiler,
    rustup: &Path,
    libraries: &Path,
    libc: &Path,
) -> Result<()> {
    let programs = folder.join("bin");
    let target = folder.join("lib/rustlib").join(TARGET).join("lib");
    let host = folder.join("lib/rustlib").join(&compiler.host);
    for place in [&programs, &target.join("self-contained"), &host] {
        fs::create_dir_all(place)?;
    }
    let script =
        format!("#!/bin/sh\nexec {} --sysroot {} \"$@\"\n", compiler.path, folder.display());
    fs::write(programs.join("rustc"), script)?;
    fs::set_permissions(programs.join("rustc"), fs::Permissions::from_mode(0o755))?;
    symlink(rustup.join("bin/cargo"), programs.join("cargo"))?;
    for entry in fs::read_dir(libraries)?.flatten() {
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if text.ends_with(".rlib") && !text.starts_with("libempty-") {
            fs::copy(entry.path(), target.join(&name))?;
        }
    }
    for name in SELF_CONTAINED {
        fs::copy(libc.join(name), target.join("self-contained").join(name))
            .with_context(|| format!("wasi-libc has no {name}"))?;
    }
    let library_of = |sysroot: &Path| sysroot.join("lib/rustlib").join(&compiler.host);
    symlink(library_of(Path::new(&compiler.sysroot)).join("lib"), host.join("lib"))?;
    symlink(library_of(rustup).join("bin"), host.join("bin"))?;
    Ok(())
}
