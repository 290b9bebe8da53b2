//! Proof that an XML answer came whole, before what the SDK made of it is believed.
//!
//! The SDK's parser takes the end of a broken document for the end of a list, and does not look at the answer
//! to a write at all: a list that was cut is a shorter list to it, and a page of nonsense a success. Judges
//! the form of an answer and never its content.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use xmlparser::{ElementEnd, Token, Tokenizer};

/// For clients of the Query protocol (IAM, STS).
#[derive(Debug, Clone, Copy)]
pub(super) struct WholeAnswer;

#[dyn_dispatch_hint]
impl Intercept for WholeAnswer {
    fn name(&self) -> &'static str {
        "WholeAnswer"
    }

    /// A success only: a refusal is known by its code, and has no list that could be short.
    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.output_or_error().is_err() {
            return Ok(());
        }
        let body = context.response().body().bytes().ok_or("the answer was not kept")?;
        let operation = settings.load::<Metadata>().ok_or("the call has no name")?.name();
        check(operation, body).map_err(Into::into)
    }
}

/// One element, named after the operation, well-formed to its end. The result of a list holds at least the list,
/// be it empty; `IsTruncated` is not demanded, as IAM's API does not promise it.
fn check(operation: &str, body: &[u8]) -> Result<(), &'static str> {
    let text = std::str::from_utf8(body).map_err(|_| "the answer is not text")?;
    let (mut open, mut ended, mut has_list) = (Vec::new(), false, false);
    for token in Tokenizer::from(text) {
        match token.map_err(|_| "the answer is not well-formed")? {
            Token::ElementStart { local, .. } => {
                let local = local.as_str();
                if ended || (open.is_empty() && local.strip_suffix("Response") != Some(operation)) {
                    return Err("the answer is not this call's");
                }
                // `GetGroup` speaks of the group beside its list.
                has_list |= open.len() == 2 && (operation != "GetGroup" || local == "Users");
                open.push(local);
            }
            Token::ElementEnd { end: ElementEnd::Close(_, local), .. } => {
                if open.pop() != Some(local.as_str()) {
                    return Err("the answer is not well-formed");
                }
                ended = open.is_empty();
            }
            Token::ElementEnd { end: ElementEnd::Empty, .. } => {
                open.pop();
                ended = open.is_empty();
            }
            // The SDK's parser ends a list at a reference in an attribute that it does not know. AWS has none.
            Token::Attribute { value, .. } if value.contains('&') => return Err("the answer is not AWS's"),
            _ => {}
        }
    }
    let list = operation.starts_with("List") || operation == "GetGroup";
    match (ended, list && !has_list) {
        (false, _) => Err("the answer ends before its end"),
        (true, true) => Err("the answer holds no list"),
        (true, false) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "<?xml version=\"1.0\"?>\n<ListUsersResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
        <ListUsersResult><Users><member><UserName>a &amp; b</UserName></member></Users>\
        <IsTruncated>false</IsTruncated></ListUsersResult></ListUsersResponse>\n";

    #[test]
    fn a_whole_answer_passes_and_no_part_of_it_does() {
        assert_eq!(check("ListUsers", USERS.as_bytes()), Ok(()));
        for end in 0..USERS.trim_end().len() {
            assert!(check("ListUsers", &USERS.as_bytes()[..end]).is_err(), "{}", &USERS[..end]);
        }
    }

    #[test]
    fn what_is_broken_in_the_middle_or_another_calls_does_not_pass() {
        for (from, to) in [
            ("<IsTruncated>", "<IsTruncated"),
            ("</member>", ""),
            ("</member>", "</person>"),
            ("</UserName>", "</UserName><"),
            ("ListUsersResponse", "ListGroupsResponse"),
            ("</ListUsersResponse>", "</ListUsersResponse><A/>"),
            ("<member>", "<member of=\"&odd;\">"),
        ] {
            let broken = USERS.replace(from, to);
            assert_ne!(broken, USERS);
            assert!(check("ListUsers", broken.as_bytes()).is_err(), "{broken}");
        }
        let (begin, end) = USERS.split_at(USERS.find("</UserName>").unwrap());
        assert!(check("ListUsers", &[begin.as_bytes(), b"\xff", end.as_bytes()].concat()).is_err());
    }

    #[test]
    fn a_list_is_there_though_it_be_empty() {
        let answer =
            |result: &str| format!("<GetGroupResponse><GetGroupResult>{result}</GetGroupResult></GetGroupResponse>");
        assert_eq!(check("GetGroup", answer("<Users/>").as_bytes()), Ok(()));
        assert!(check("GetGroup", answer("").as_bytes()).is_err());
        assert!(check("GetGroup", b"<GetGroupResponse><ResponseMetadata/></GetGroupResponse>").is_err());
    }

    #[test]
    fn a_write_is_believed_only_on_its_own_answer() {
        let done = b"<DeleteAccessKeyResponse><ResponseMetadata/></DeleteAccessKeyResponse>";
        assert_eq!(check("DeleteAccessKey", done), Ok(()));
        assert_eq!(check("DeleteAccessKey", b"<DeleteAccessKeyResponse/>"), Ok(()));
        for body in [&b""[..], b" ", b"OK", b"<A/>", b"{}", b"<UpdateAccessKeyResponse/>"] {
            assert!(check("DeleteAccessKey", body).is_err(), "{body:?}");
        }
    }
}
