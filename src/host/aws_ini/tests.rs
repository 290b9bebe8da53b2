use super::*;

const OLD: &str = "AKIAOLD0000000000001";
const NEW: &str = "AKIANEW0000000000002";
const OLD_SECRET: &str = "old/Secret+0000000000000000000000000000";
const NEW_SECRET: &str = "new+Secret/1111111111111111111111111111111";

fn id(text: &str) -> KeyId {
    KeyId::new(text).unwrap()
}

fn key(key_id: &str, secret: &str) -> AccessKey {
    AccessKey { id: id(key_id), secret: SecretKey::new(secret.to_owned()) }
}

fn credentials(text: &str) -> AwsIni {
    AwsIni::parse(FileKind::Credentials, text.as_bytes()).unwrap()
}

fn rotated(kind: FileKind, text: &str) -> Result<String, IniError> {
    let file = AwsIni::parse(kind, text.as_bytes())?;
    let bytes = file.replace_key(&id(OLD), &key(NEW, NEW_SECRET))?;
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

/// Only right where neither value stands anywhere else in the text.
fn swapped(text: &str) -> String {
    text.replace(OLD, NEW).replace(OLD_SECRET, NEW_SECRET)
}

#[test]
fn every_section_with_the_old_key_is_edited_and_every_other_byte_stays() {
    let text = format!(
        "# mine\r\n\n[default] ; note\r\naws_access_key_id={OLD}   # note\r\nAWS_SECRET_ACCESS_KEY   =\t{OLD_SECRET} \t\r\n\n\
         [other]\naws_access_key_id = AKIAOTHER00000000003\naws_secret_access_key = x\nx = 1\nx = 2\n[other]\nx = 3\n  \n\
         [work]\ns3 =\n  aws_access_key_id = {NEST}\n\n  max = 2\naws_secret_access_key = {OLD_SECRET}\n;end\naws_access_key_id ={OLD}",
        NEST = "AKIANESTED0000000004"
    );
    assert_eq!(rotated(FileKind::Credentials, &text).unwrap(), swapped(&text));
}

#[test]
fn a_nested_block_with_the_old_key_is_not_touched() {
    let nested = format!("x =\n  aws_access_key_id = {OLD}\n  aws_secret_access_key = {OLD_SECRET}\n");
    let plain = format!("aws_access_key_id = {OLD}\naws_secret_access_key = {OLD_SECRET}\n");
    let text = format!("[a]\n{nested}{plain}");
    assert_eq!(rotated(FileKind::Credentials, &text).unwrap(), format!("[a]\n{nested}{}", swapped(&plain)));
    let only_nested = rotated(FileKind::Credentials, &format!("[a]\n{nested}")).unwrap_err();
    assert_eq!(only_nested.problem, Problem::NotHeld(id(OLD)));
}
