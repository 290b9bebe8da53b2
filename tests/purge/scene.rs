//! How keys and tags stand at IAM, at one moment.

use std::collections::BTreeMap;

use super::stage::Stage;

const RECORD: &str = "keyrot-me/disabled/";

type Tags = BTreeMap<String, String>;

pub struct Scene {
    /// By label.
    statuses: BTreeMap<String, String>,
    /// By account and user.
    tags: BTreeMap<(String, String), Tags>,
}

impl Scene {
    pub fn of(stage: &Stage) -> Self {
        let sandbox = &stage.sandbox;
        let keys: Vec<(String, String)> =
            stage.names().keys.iter().map(|(label, key)| (label.clone(), key.id.clone())).collect();
        let status = |id: &str| sandbox.key(id).map_or("gone".to_owned(), |key| key.status);
        let users = sandbox.users().into_iter();
        Self {
            statuses: keys.into_iter().map(|(label, id)| (label, status(&id))).collect(),
            tags: users.map(|user| (user.clone(), sandbox.tags_of((user.0.as_str(), user.1.as_str())))).collect(),
        }
    }

    /// A key that is not there yet is gone.
    pub fn status(&self, label: &str) -> &str {
        self.statuses.get(label).map_or("gone", String::as_str)
    }

    /// Of the key with this id, on whomever it stands.
    pub fn record(&self, id: &str) -> Option<&str> {
        let name = format!("{RECORD}{id}");
        self.tags.values().find_map(|tags| tags.get(&name)).map(String::as_str)
    }

    /// Of the first user of this name.
    pub fn tag(&self, user: &str, name: &str) -> Option<&str> {
        let (_, tags) = self.tags.iter().find(|((_, known), _)| known == user)?;
        tags.get(name).map(String::as_str)
    }

    /// All tags that are not records, of users that have any.
    pub fn foreign_tags(&self) -> BTreeMap<String, Tags> {
        let foreign = |tags: &Tags| -> Tags {
            tags.iter()
                .filter(|(name, _)| !name.starts_with(RECORD))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        };
        let all = self.tags.iter().map(|((account, user), tags)| (format!("{account}/{user}"), foreign(tags)));
        all.filter(|(_, tags)| !tags.is_empty()).collect()
    }
}
