//! What is in the deb, the rpm and the archive, and what Debian's and rpm's own linters say of them.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::workstation::Ran;

use super::{package, tool};

/// Everything but the program, the man pages and the licences: what both packages have, below `/usr`.
const SHARED: [&str; 16] = [
    "bin/keyrot-me",
    "lib/systemd/user/keyrot-me.service",
    "lib/systemd/user/keyrot-me.timer",
    "share/bash-completion/completions/keyrot-me",
    "share/doc/keyrot-me/README.md",
    "share/doc/keyrot-me/examples/config.toml",
    "share/doc/keyrot-me/fleet.md",
    "share/doc/keyrot-me/runbook.md",
    "share/doc/keyrot-me/iam/README.md",
    "share/doc/keyrot-me/iam/purge-member-trust.json",
    "share/doc/keyrot-me/iam/purge-organization-reader.json",
    "share/doc/keyrot-me/iam/purge-role.json",
    "share/doc/keyrot-me/iam/purge-service-control-policy.json",
    "share/doc/keyrot-me/iam/self-service.json",
    "share/fish/vendor_completions.d/keyrot-me.fish",
    "share/keyrot-me/keyrot-me.ps1",
];

/// What Debian wants, where it wants it.
const DEB_ONLY: [&str; 5] = [
    "share/doc/keyrot-me/THIRD-PARTY-LICENCES.gz",
    "share/doc/keyrot-me/changelog.Debian.gz",
    "share/doc/keyrot-me/changelog.gz",
    "share/doc/keyrot-me/copyright",
    "share/zsh/vendor-completions/_keyrot-me",
];

const RPM_ONLY: [&str; 6] = [
    "share/doc/keyrot-me/CHANGELOG.md",
    "share/licenses/keyrot-me/LICENSE",
    "share/licenses/keyrot-me/LICENSE-APACHE",
    "share/licenses/keyrot-me/LICENSE-MIT",
    "share/licenses/keyrot-me/THIRD-PARTY-LICENCES.gz",
    "share/zsh/site-functions/_keyrot-me",
];

fn pages() -> Vec<String> {
    let entries = fs::read_dir("packaging/man").unwrap().map(|entry| entry.unwrap().file_name());
    entries.map(|name| name.into_string().unwrap()).collect()
}

fn expected(own: &[&str]) -> Vec<String> {
    let pages = pages().into_iter().map(|name| format!("share/man/man1/{name}.gz"));
    let files = SHARED.iter().chain(own).map(ToString::to_string).chain(pages);
    let mut all: Vec<String> = files.map(|file| format!("/usr/{file}")).collect();
    all.sort();
    all
}

fn sorted(files: impl Iterator<Item = String>) -> Vec<String> {
    let mut files: Vec<String> = files.collect();
    files.sort();
    files
}

/// `dpkg-deb --contents` and `tar --verbose`: mode, owner, size, date, time, name. Without folders.
fn listed(text: &str) -> Vec<(String, String, String)> {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let files = lines.filter(|words| words[0].starts_with('-'));
    files.map(|words| (words[0].to_owned(), words[1].to_owned(), words[5..].join(" "))).collect()
}

#[test]
fn the_deb_holds_what_it_should() {
    let Some(deb) = package("keyrot-me_", ".deb") else { return };
    let Some(ran) = tool("dpkg-deb", &["--contents".as_ref(), deb.as_os_str()]) else { return };
    let files = listed(&ran.expect(0).stdout);
    let names = files.iter().map(|(_, _, name)| name.trim_start_matches('.').to_owned());
    assert_eq!(sorted(names), expected(&DEB_ONLY));
    for (mode, owner, name) in files {
        let wanted = if name.ends_with("/bin/keyrot-me") { "-rwxr-xr-x" } else { "-rw-r--r--" };
        assert_eq!((mode.as_str(), owner.replace("root", "0").as_str()), (wanted, "0/0"), "{name}");
    }
    let control = tool("dpkg-deb", &["--field".as_ref(), deb.as_os_str()]).unwrap().expect(0).stdout;
    let version = format!("Version: {}-1", env!("CARGO_PKG_VERSION"));
    assert!(control.contains(&version) && control.contains("Depends: libc6"), "{control}");
}

#[test]
fn the_rpm_holds_what_it_should() {
    let Some(rpm) = package("keyrot-me-", ".rpm") else { return };
    let query = ["--query", "--nosignature", "--package", "--queryformat", "[%{FILEMODES:perms} %{FILENAMES}\n]"];
    let arguments = query.map(AsRef::as_ref).into_iter().chain([rpm.as_os_str()]).collect::<Vec<_>>();
    let Some(ran) = tool("rpm", &arguments) else { return };
    let files = ran.expect(0).stdout;
    let names = files.lines().map(|line| line.split_once(' ').unwrap().1.to_owned());
    assert_eq!(sorted(names), expected(&RPM_ONLY));
    for line in files.lines() {
        let wanted = if line.ends_with("/bin/keyrot-me") { "-rwxr-xr-x" } else { "-rw-r--r--" };
        assert!(line.starts_with(wanted), "{line}");
    }
}

#[test]
fn the_archive_holds_what_it_should() {
    let Some(archive) = package("keyrot-me-", "-linux-gnu.tar.gz") else { return };
    let Some(ran) = tool("tar", &["--list".as_ref(), "--verbose".as_ref(), "--file".as_ref(), archive.as_os_str()])
    else {
        return;
    };
    let files = listed(&ran.expect(0).stdout);
    let folder = archive.file_name().unwrap().to_str().unwrap().trim_end_matches(".tar.gz").to_owned();
    let names: Vec<&str> = files.iter().map(|(_, _, name)| name.strip_prefix(&folder).unwrap()).collect();
    let fixed = ["keyrot-me", "README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "THIRD-PARTY-LICENCES"];
    for name in fixed.into_iter().chain(["completions/_keyrot-me", "iam/self-service.json", "config.example.toml"]) {
        assert!(names.contains(&format!("/{name}").as_str()), "{name} is not in {names:?}");
    }
    for page in pages() {
        assert!(names.contains(&format!("/man/{page}").as_str()), "{page} is not in {names:?}");
    }
}

#[test]
fn the_checksums_are_those_of_the_packages() {
    let Some(deb) = package("keyrot-me_", ".deb") else { return };
    let folder = deb.parent().unwrap();
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    assert!(sums.contains(deb.file_name().unwrap().to_str().unwrap()), "{sums}");
    let mut check = Command::new("sha256sum");
    check.args(["--check", "--strict", "SHA256SUMS"]).current_dir(folder);
    let ran = Ran::from(check.output().unwrap()).expect(0);
    assert_eq!(ran.stdout.lines().count(), sums.lines().count());
}

#[test]
fn lintian_and_rpmlint_find_no_error() {
    if let Some(deb) = package("keyrot-me_", ".deb") {
        let words =
            ["--fail-on", "error,warning", "--allow-root", "--suppress-tags-from-file", "packaging/deb/lintian-tags"];
        let arguments = words.map(AsRef::as_ref).into_iter().chain([deb.as_os_str()]).collect::<Vec<_>>();
        if let Some(ran) = tool("lintian", &arguments) {
            ran.expect(0);
        }
    }
    if let Some(rpm) = package("keyrot-me-", ".rpm") {
        let arguments = ["-c".as_ref(), "packaging/rpm/rpmlint.toml".as_ref(), rpm.as_os_str()];
        if let Some(ran) = tool("rpmlint", &arguments) {
            let ran = ran.expect(0);
            assert!(ran.stdout.contains(" 0 errors, 0 warnings"), "{}", ran.stdout);
        }
    }
}

#[test]
fn the_crate_has_what_an_installation_needs_and_nothing_large() {
    let Some(ran) = tool("cargo", &["package", "--locked", "--offline", "--allow-dirty", "--list"]) else { return };
    let listed = ran.expect(0).stdout;
    let files: Vec<&str> = listed.lines().collect();
    for needed in
        ["Cargo.lock", "Cargo.toml", "README.md", "LICENSE-APACHE", "LICENSE-MIT", "src/main.rs", "packaging/build"]
    {
        assert!(files.contains(&needed), "{needed} is not in {files:?}");
    }
    for file in files.into_iter().filter(|file| Path::new(file).is_file()) {
        assert!(fs::metadata(file).unwrap().len() < 512 * 1024, "{file} is large");
        assert!(!file.starts_with('.') || [".gitignore", ".cargo_vcs_info.json"].contains(&file), "{file}");
    }
}
