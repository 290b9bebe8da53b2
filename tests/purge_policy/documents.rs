//! packaging/iam as files: sizes, duplicates, placeholders, and that its README speaks of all of it.

use std::fs;
use std::path::PathBuf;

use super::papers::{CONTROL, READER, ROLE, TRUST, filled, json, placeholders, statements, texts};

/// Characters (IAM and Organizations quotas). Organizations counts white space, IAM does not.
const MANAGED_POLICY: usize = 6_144;
const TRUST_POLICY: usize = 2_048;
const CONTROL_POLICY: usize = 5_120;

/// Characters: the longest value of each. Of a role's ARN its path may be 512, its name 64.
const LONGEST: [(&str, usize); 5] = [
    ("DEPLOYMENT_ROLE_ARN", 624),
    ("EXEMPTION_ROLE_ARN", 624),
    // AWS takes 1,224; a generated one is shorter.
    ("EXTERNAL_ID", 64),
    ("ORGANIZATION_ID", 34),
    ("PURGE_PRINCIPAL_ARN", 624),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("packaging/iam")
}

fn readme() -> String {
    fs::read_to_string(folder().join("README.md")).unwrap()
}

#[test]
fn every_document_fits_where_it_goes_even_with_the_longest_names() {
    for (document, most) in
        [(ROLE, MANAGED_POLICY), (READER, MANAGED_POLICY), (TRUST, TRUST_POLICY), (CONTROL, CONTROL_POLICY)]
    {
        let longest = LONGEST.map(|(name, length)| (name, "x".repeat(length)));
        let text = filled(document, &longest);
        assert!(text.len() <= most, "{} of {most} in {document}", text.len());
    }
}

#[test]
fn nothing_stands_twice() {
    for document in [ROLE, READER, TRUST, CONTROL] {
        let parsed = json(document);
        // Of a key that stands twice in an object only one is left. No string here has white space.
        let packed = document.chars().filter(|letter| !letter.is_whitespace()).count();
        assert_eq!(packed, parsed.to_string().len(), "{document}");
        let mut sids: Vec<&str> = statements(&parsed).iter().map(|one| one["Sid"].as_str().unwrap()).collect();
        let all = sids.len();
        sids.sort_unstable();
        sids.dedup();
        assert_eq!(sids.len(), all);
        for statement in statements(&parsed) {
            let actions = texts(&statement["Action"]);
            let mut ordered = actions.clone();
            ordered.sort_unstable();
            ordered.dedup();
            assert_eq!(actions, ordered, "in order, each once");
        }
    }
}

#[test]
fn the_readme_lists_every_placeholder_and_every_file() {
    let mut used: Vec<String> = Vec::new();
    let readme = readme();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name != "README.md" {
            assert!(readme.contains(&format!("[{name}]({name})")), "{name} is not linked");
            used.extend(placeholders(&fs::read_to_string(path).unwrap()));
        }
    }
    used.sort_unstable();
    used.dedup();
    assert_eq!(used, placeholders(&readme));
    assert_eq!(used, LONGEST.map(|(name, _)| name));
}

#[test]
#[should_panic(expected = "left behind: [\"DEPLOYMENT_ROLE_ARN\"]")]
fn a_placeholder_that_is_left_is_found() {
    filled(CONTROL, &[("EXEMPTION_ROLE_ARN", "arn:aws:iam::*:role/key-exemptions".to_owned())]);
}
