//! The little XML that launchd's and Windows' files need: text made safe, and the texts of a document with their places.

use xmlparser::{ElementEnd, Token, Tokenizer};

/// Text for between two tags.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Each text of a document, behind the names of the elements that it stands in: `Task/Actions/Exec/Command`. `None` for
/// what is no XML.
pub(super) fn texts(document: &str) -> Option<Vec<(String, String)>> {
    let (mut path, mut found): (Vec<&str>, _) = (Vec::new(), Vec::new());
    for token in Tokenizer::from(document) {
        match token.ok()? {
            Token::ElementStart { local, .. } => path.push(local.as_str()),
            Token::ElementEnd { end: ElementEnd::Empty | ElementEnd::Close(..), .. } => {
                path.pop()?;
            }
            Token::Text { text } if !text.trim().is_empty() => found.push((path.join("/"), plain(text.as_str())?)),
            _ => {}
        }
    }
    path.is_empty().then_some(found)
}

/// The first text in this place.
pub(super) fn text<'a>(texts: &'a [(String, String)], place: &str) -> Option<&'a str> {
    texts.iter().find(|(path, _)| path == place).map(|(_, text)| text.as_str())
}

/// Entities read.
fn plain(text: &str) -> Option<String> {
    let mut parts = text.split('&');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';')?;
        plain.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            other => numbered(other.strip_prefix('#')?)?,
        });
        plain.push_str(rest);
    }
    Some(plain)
}

fn numbered(name: &str) -> Option<char> {
    let number = match name.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => name.parse(),
    };
    char::from_u32(number.ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_by_their_place_and_read_as_they_were() {
        let nasty = "a & <b> \"c\" 'd' ]]> &amp; é";
        let document =
            format!("<?xml version=\"1.0\"?>\n<!-- x --><a xmlns=\"u\"><b/><c>{}</c><c>2</c></a>", escaped(nasty));
        let found = texts(&document).unwrap();
        assert_eq!(text(&found, "a/c"), Some(nasty));
        assert_eq!(found.len(), 2);
        assert_eq!(texts("<a>&#65;&#x42;&quot;</a>").unwrap()[0].1, "AB\"");
        for bad in ["<a>", "<a>&nope;</a>", "<a>&x</a>", "no xml"] {
            assert_eq!(texts(bad), None, "{bad}");
        }
    }
}
