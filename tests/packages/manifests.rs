//! Homebrew's formula and Scoop's manifest: made from real archives or not at all; and what a release is checked for.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use sha2::Digest;

use super::tool;

const HOME: &str = "https://git.example/keyrot-me";
const VERSION: &str = env!("CARGO_PKG_VERSION");

const ARCHIVES: [(&str, &str); 6] = [
    ("aarch64-apple-darwin", "tar.gz"),
    ("x86_64-apple-darwin", "tar.gz"),
    ("aarch64-unknown-linux-musl", "tar.gz"),
    ("x86_64-unknown-linux-musl", "tar.gz"),
    ("x86_64-pc-windows-msvc", "zip"),
    ("aarch64-pc-windows-msvc", "zip"),
];

fn archive(folder: &Path, (target, end): (&str, &str)) -> std::path::PathBuf {
    folder.join(format!("keyrot-me-{VERSION}-{target}.{end}"))
}

fn checksum(text: &str) -> String {
    sha2::Sha256::digest(text).iter().fold(String::new(), |mut sum, byte| {
        let _ = write!(sum, "{byte:02x}");
        sum
    })
}

#[test]
fn formula_and_manifest_carry_the_archives_own_checksums_or_are_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let arguments = ["packaging/manifests", folder.to_str().unwrap(), HOME];
    for each in ARCHIVES {
        fs::write(archive(folder, each), each.0).unwrap();
    }
    fs::remove_file(archive(folder, ARCHIVES[5])).unwrap();
    let Some(ran) = tool("python3", &arguments) else { return };
    assert!(ran.expect(1).stderr.contains("aarch64-pc-windows-msvc.zip is not there"));
    assert!(!folder.join("keyrot-me.rb").exists() && !folder.join("keyrot-me.json").exists(), "made in part");

    fs::write(archive(folder, ARCHIVES[5]), ARCHIVES[5].0).unwrap();
    tool("python3", &arguments).unwrap().expect(0);
    let formula = fs::read_to_string(folder.join("keyrot-me.rb")).unwrap();
    let manifest = fs::read_to_string(folder.join("keyrot-me.json")).unwrap();
    for (target, _) in ARCHIVES {
        let sum = checksum(target);
        assert!(formula.contains(&sum) || manifest.contains(&sum), "{target}: {sum}");
    }
    let json: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let url = format!("{HOME}/releases/download/v{VERSION}/keyrot-me-{VERSION}-x86_64-pc-windows-msvc.zip");
    assert_eq!((json["version"].as_str(), json["architecture"]["64bit"]["url"].as_str()), (Some(VERSION), Some(&*url)));
    assert!(!formula.contains('@') && !manifest.contains('@'), "something is left to fill in");
    if let Some(ran) = tool("ruby", &["-c".as_ref(), folder.join("keyrot-me.rb").as_os_str()]) {
        ran.expect(0);
    }
}

#[test]
fn a_tag_of_another_version_is_no_release() {
    let Some(ran) = tool("python3", &["packaging/version", "v99.0.0"]) else { return };
    assert!(ran.expect(1).stderr.contains(&format!("Cargo.toml says {VERSION}")));
}

/// The example that packages bring is read by the program, and says what a timer needs.
#[test]
fn the_example_settings_are_valid() {
    let station = crate::workstation::Workstation::new(crate::program());
    station.settings(&fs::read_to_string("packaging/config.toml").unwrap());
    station.run(&["status", "--offline"]).expect(0);
    station.settings(&fs::read_to_string("packaging/config.toml").unwrap().replace("# command", "command"));
    station.run(&["status", "--offline"]).expect(0);
}
