//! Who owns a key: the address that its notices go to.
//!
//! Pure. The map's file is read by `host`, the tag by the purge.

use std::collections::HashMap;

use super::is_address;

/// An account of the map that means every one.
pub const EVERY_ACCOUNT: &str = "*";

/// Addresses by account and user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnerMap(HashMap<(String, String), String>);

impl OwnerMap {
    /// False where the user is there already. IAM does not distinguish names by case (API reference, `CreateUser`).
    pub fn add(&mut self, account: &str, user: &str, address: &str) -> bool {
        let place = (account.to_owned(), user.to_ascii_lowercase());
        self.0.insert(place, address.to_owned()).is_none()
    }

    fn find(&self, account: &str, user: &str) -> Option<&str> {
        let at = |account: &str| self.0.get(&(account.to_owned(), user.to_ascii_lowercase()));
        at(account).or_else(|| at(EVERY_ACCOUNT)).map(String::as_str)
    }
}

/// Where an owner's address comes from: the map before the tag before the template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owners {
    pub map: OwnerMap,
    /// Like `{user}@example.com`.
    pub template: Option<String>,
}

impl Owners {
    /// `contact` is what the user's owner tag says.
    ///
    /// # Errors
    /// Why there is no address, in words.
    pub fn address(&self, account: &str, user: &str, contact: Option<&str>) -> Result<String, String> {
        if let Some(address) = self.map.find(account, user) {
            return Ok(address.to_owned());
        }
        let contact = contact.map(str::trim);
        if let Some(address) = contact.filter(|text| is_address(text)) {
            return Ok(address.to_owned());
        }
        let made = self.template.as_ref().map(|template| fill(template, account, user));
        match (made.filter(|text| is_address(text)), contact) {
            (Some(address), _) => Ok(address),
            (None, Some(_)) => Err("the owner's tag holds no mail address".to_owned()),
            (None, None) => Err("no owner's address is known".to_owned()),
        }
    }
}

/// In one pass: a user may be named `{account}`.
fn fill(template: &str, account: &str, user: &str) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let (length, value) = match rest {
            rest if rest.starts_with("{user}") => ("{user}".len(), user),
            rest if rest.starts_with("{account}") => ("{account}".len(), account),
            _ => (1, "{"),
        };
        filled.push_str(value);
        rest = &rest[length..];
    }
    filled + rest
}

/// A template that gives an address: `None`, or why it cannot.
#[must_use]
pub fn template_problem(template: &str) -> Option<&'static str> {
    if !template.contains("{user}") && !template.contains("{account}") {
        return Some("it holds neither {user} nor {account}: one address for everybody is --team-address");
    }
    let example = fill(template, "111122223333", "user");
    let whole = is_address(&example) && !example.contains(['{', '}']);
    (!whole).then_some("with names filled in it is no mail address; {user} and {account} are known")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(template: Option<&str>) -> Owners {
        let mut map = OwnerMap::default();
        assert!(map.add("111122223333", "Alice", "alice@one.example"));
        assert!(map.add(EVERY_ACCOUNT, "alice", "alice@all.example"));
        assert!(!map.add(EVERY_ACCOUNT, "ALICE", "again@all.example"));
        Owners { map, template: template.map(str::to_owned) }
    }

    #[test]
    fn the_map_goes_before_the_tag_and_the_tag_before_the_template() {
        let owners = owners(Some("{user}+{account}@example.com"));
        let of = |account, user, contact| owners.address(account, user, contact).unwrap();
        assert_eq!(of("111122223333", "ALICE", Some("tag@example.com")), "alice@one.example");
        assert_eq!(of("444455556666", "alice", Some("tag@example.com")), "again@all.example");
        assert_eq!(of("444455556666", "bob", Some(" tag@example.com ")), "tag@example.com");
        assert_eq!(of("444455556666", "bob", Some("the platform team")), "bob+444455556666@example.com");
        assert_eq!(of("444455556666", "{account}", None), "{account}+444455556666@example.com");
    }

    #[test]
    fn what_is_no_address_is_unknown_and_says_why() {
        let owners = owners(None);
        assert_eq!(owners.address("1", "bob", None).unwrap_err(), "no owner's address is known");
        let two = owners.address("1", "bob", Some("a@b.example,c@d.example")).unwrap_err();
        assert_eq!(two, "the owner's tag holds no mail address");
        let made = Owners { template: Some("{user}@example.com".to_owned()), ..Owners::default() };
        assert!(made.address("1", "a b", None).is_err());
        assert!(made.address("1", "a\r\nBcc: x", None).is_err());
    }

    #[test]
    fn a_template_that_can_give_no_address_is_refused() {
        assert_eq!(template_problem("{user}@example.com"), None);
        assert_eq!(template_problem("aws-{account}-{user}@example.com"), None);
        for refused in ["team@example.com", "{user}", "{name}@example.com {user}", "{user}@{domain}.com", ""] {
            assert!(template_problem(refused).is_some(), "{refused}");
        }
    }
}
