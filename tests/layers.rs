//! DESIGN's picture of the layers, held against the code's own `crate::` paths.

use std::path::{Path, PathBuf};

/// Each layer and what it may name besides itself.
const MAY_NAME: [(&str, &[&str]); 6] = [
    ("keys", &[]),
    ("ports", &["keys"]),
    ("runner", &["ports", "keys"]),
    ("aws", &["ports", "keys"]),
    ("host", &["ports", "keys"]),
    ("cli", &["runner", "aws", "host", "ports", "keys"]),
];

/// What the pure layer must do without.
const NOT_IN_KEYS: [&str; 12] = [
    "async ",
    ".await",
    "tokio",
    "std::fs",
    "std::env",
    "std::time",
    "std::net",
    "std::io",
    "std::process",
    "aws_",
    "Utc::now",
    "println!",
];

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 40, "{}", found.len());
    found
}

/// `keys` of `src/keys/facts.rs` and of `src/keys.rs`.
fn layer(path: &Path) -> String {
    let below = path.strip_prefix("src").unwrap();
    let first = below.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The layers that a text names: `crate::x::…`, `use crate::{x::…, y::…}`, and `super` that leaves the layer.
fn named(path: &Path, text: &str) -> Vec<String> {
    let code = without_comments(text);
    let mut names = Vec::new();
    for behind in code.split("crate::").skip(1) {
        match behind.strip_prefix('{') {
            Some(group) => names.extend(group_heads(group)),
            None => names.push(head(behind)),
        }
    }
    let depth = path.strip_prefix("src").unwrap().components().count();
    let up = "super::".repeat(depth + usize::from(code.contains("mod tests {")));
    names.extend(code.split(&up).skip(1).map(head));
    names
}

fn head(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

/// First words of the items of `{a::b, c::{d, e}, f}`.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut item, mut heads) = (0, String::new(), Vec::new());
    for letter in group.chars() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(head(std::mem::take(&mut item).trim())),
            _ => {}
        }
        if depth > 0 || letter != ',' {
            item.push(letter);
        }
    }
    heads.push(head(item.trim()));
    heads.into_iter().filter(|name| !name.is_empty()).collect()
}

#[test]
fn imports_point_down_only() {
    let mut named_at_all = 0;
    for (path, text) in sources() {
        let own = layer(&path);
        let Some((_, allowed)) = MAY_NAME.iter().find(|(name, _)| *name == own) else {
            assert!(["bin", "lib", "main"].contains(&own.as_str()), "{} belongs to no layer", path.display());
            continue;
        };
        for name in named(&path, &text) {
            named_at_all += 1;
            assert!(name == own || allowed.contains(&name.as_str()), "{} names crate::{name}", path.display());
        }
    }
    assert!(named_at_all > 100, "{named_at_all}");
}

#[test]
fn the_pure_layer_stays_pure() {
    for (path, text) in sources().into_iter().filter(|(path, _)| layer(path) == "keys") {
        let code = without_comments(&text);
        for word in NOT_IN_KEYS {
            assert!(!code.contains(word), "{} has {word:?}", path.display());
        }
    }
    for (path, text) in sources().into_iter().filter(|(path, _)| ["runner", "ports"].contains(&layer(path).as_str())) {
        for word in ["std::fs", "std::env", "std::process", "aws_sdk", "aws_smithy", "println!"] {
            assert!(!without_comments(&text).contains(word), "{} has {word:?}", path.display());
        }
    }
}

#[test]
fn only_the_aws_layer_knows_the_sdk() {
    for (path, text) in sources().into_iter().filter(|(path, _)| layer(path) != "aws") {
        let code = without_comments(&text);
        let foreign = code.contains("aws_sdk_") || code.contains("aws_smithy");
        assert!(!foreign, "{} names the SDK", path.display());
    }
}

#[test]
fn each_file_says_what_it_is_for() {
    let tests = ["tests", "examples", "benches"].iter().flat_map(|folder| rust_files(Path::new(folder)));
    let all = sources().into_iter().chain(tests);
    for (path, text) in all.filter(|(path, _)| !path.ends_with("sandbox/main.rs")) {
        assert!(text.starts_with("//! "), "{} does not open with //!", path.display());
    }
}

fn rust_files(folder: &Path) -> Vec<(PathBuf, String)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                return rust_files(&path);
            }
            let text = std::fs::read_to_string(&path).ok().filter(|_| path.extension().is_some_and(|end| end == "rs"));
            text.map(|text| (path, text)).into_iter().collect()
        })
        .collect()
}

#[test]
fn the_check_sees_what_it_forbids() {
    let of = |path: &str, text: &str| named(Path::new(path), text);
    assert_eq!(of("src/aws/iam.rs", "use crate::host::paths;"), ["host"]);
    assert_eq!(of("src/aws/iam.rs", "let x = crate::host::paths::env(n);"), ["host"]);
    assert_eq!(
        of("src/aws/iam.rs", "use crate::{keys::{facts, secret}, host::paths, ports};"),
        ["keys", "host", "ports"]
    );
    assert_eq!(of("src/aws/iam.rs", "use super::super::host::paths;"), ["host"]);
    assert_eq!(of("src/aws/iam.rs", "// use crate::host;\nuse super::error;"), Vec::<String>::new());
}
