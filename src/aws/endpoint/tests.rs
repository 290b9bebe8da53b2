//! Tests of regions and custom endpoints.

use std::io::Write;
use std::path::Path;

use super::*;
use crate::keys::facts::KeyId;
use crate::keys::secret::{AccessKey, SecretKey};

async fn read(config: &str, env: &[(&str, &str)]) -> Result<Destination, DestinationProblem> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(config.as_bytes()).unwrap();
    let files = ProfileFiles::load(Path::new("/nowhere"), file.path()).await.unwrap();
    let id = KeyId::new("AKIAEXAMPLE000000001").unwrap();
    let profile = SigningProfile {
        asked: "asked".into(),
        signing: "signing".into(),
        key: AccessKey { id, secret: SecretKey::new("x".into()) },
        mfa_serial: None,
        region: Some("eu-central-1".into()),
    };
    let get = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    Destination::read(&files, &profile, &get).await
}

fn urls(destination: &Destination) -> Vec<(&'static str, &str)> {
    destination.custom_endpoints().iter().map(|c| (c.service.name(), c.url.as_str())).collect()
}

#[tokio::test]
async fn the_region_is_the_environments_then_the_profiles_and_tells_the_partition() {
    let region = async |env: &[(&str, &str)]| {
        let it = read("", env).await.unwrap();
        (it.region().to_owned(), it.home_region())
    };
    assert_eq!(region(&[]).await, ("eu-central-1".into(), "us-east-1"));
    assert_eq!(region(&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "cn-northwest-1")]).await.1, "cn-north-1");
    let both = [("AWS_REGION", "us-gov-east-1"), ("AWS_DEFAULT_REGION", "eu-west-1")];
    assert_eq!(region(&both).await, ("us-gov-east-1".into(), "us-gov-west-1"));
    assert!(matches!(read("", &[("AWS_REGION", "x.evil.com/")]).await, Err(DestinationProblem::Region(_))));
}

#[tokio::test]
async fn endpoints_come_in_the_sdks_order() {
    let config = "[profile asked]\nendpoint_url = https://profile.test\nservices = mine\n\
                  [services mine]\niam =\n  endpoint_url = https://profile-iam.test\n\
                  [profile signing]\nendpoint_url = https://other.test\n";
    let all = |url| vec![("IAM", url), ("STS", url), ("CloudTrail", url)];
    let from_profile = read(config, &[]).await.unwrap();
    let want =
        [("IAM", "https://profile-iam.test"), ("STS", "https://profile.test"), ("CloudTrail", "https://profile.test")];
    assert_eq!(urls(&from_profile), want);
    let env = [("AWS_ENDPOINT_URL", "https://env.test"), ("AWS_ENDPOINT_URL_STS", "https://env-sts.test")];
    let from_env = read(config, &env).await.unwrap();
    assert_eq!(from_env.url(Service::Iam).as_deref(), Some("https://env.test"));
    assert_eq!(from_env.url(Service::Sts).as_deref(), Some("https://env-sts.test"));
    let signing = read("[profile signing]\nendpoint_url = https://other.test\n", &[]).await.unwrap();
    assert_eq!(urls(&signing), all("https://other.test"));
    assert!(urls(&read("", &[]).await.unwrap()).is_empty());
}

#[tokio::test]
async fn configured_endpoints_can_be_ignored() {
    let config = "[profile asked]\nendpoint_url = nonsense\n";
    let ignore = |value| [("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", value), ("AWS_ENDPOINT_URL", "nonsense")];
    assert!(urls(&read(config, &ignore("true")).await.unwrap()).is_empty());
    assert!(matches!(read(config, &ignore("false")).await, Err(DestinationProblem::NotAUrl { .. })));
    assert!(matches!(read(config, &ignore("maybe")).await, Err(DestinationProblem::Boolean { .. })));
}

#[tokio::test]
async fn plain_http_is_for_loopback_only() {
    let with = async |url: &str| read("", &[("AWS_ENDPOINT_URL", url)]).await;
    for good in [
        "http://localhost:4566",
        "http://127.0.0.1:1",
        "http://127.9.9.9",
        "http://[::1]:8000",
        "http://[::ffff:127.0.0.1]:8000",
        "https://vpce-1.iam.us-east-1.vpce.amazonaws.com",
    ] {
        assert!(with(good).await.is_ok(), "{good}");
    }
    for bad in ["http://192.168.0.7", "http://localhost.evil.com", "http://0.0.0.0:1", "http://[fe80::1]"] {
        assert!(matches!(with(bad).await, Err(DestinationProblem::PlainHttp { .. })), "{bad}");
    }
    assert!(matches!(with("127.0.0.1:4566").await, Err(DestinationProblem::NotAUrl { .. })));
    assert!(matches!(with("ftp://127.0.0.1").await, Err(DestinationProblem::Scheme { .. })));
    let secret = with("https://me:hidden@host.test").await.unwrap_err();
    assert!(!format!("{secret} {}", secret.hint()).contains("hidden"));
}

#[tokio::test]
async fn fips_and_dual_stack_are_taken_over() {
    let it = read("[profile signing]\nuse_dualstack_endpoint = true\n", &[("AWS_USE_FIPS_ENDPOINT", "TRUE")]).await;
    let it = it.unwrap();
    assert_eq!((it.fips, it.dual_stack), (Some(true), Some(true)));
    let both = [("AWS_USE_FIPS_ENDPOINT", "true"), ("AWS_ENDPOINT_URL_STS", "https://sts.test")];
    let refused = read("", &both).await.unwrap_err();
    assert_eq!(refused.to_string(), "AWS_USE_FIPS_ENDPOINT cannot be true where the STS endpoint is set");
}

async fn for_profile(files: &str, profile: Option<&str>, env: &[(&str, &str)]) -> Destination {
    let mut config = tempfile::NamedTempFile::new().unwrap();
    config.write_all(files.as_bytes()).unwrap();
    let files = ProfileFiles::load(Path::new("/nowhere"), config.path()).await.unwrap();
    let get = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    Destination::for_profile(&files, profile, &get).await.unwrap()
}

#[tokio::test]
async fn without_a_key_in_the_files_the_order_is_the_same() {
    let files = "[default]\nregion = eu-west-1\n[profile role]\nrole_arn = r\nsource_profile = base\n\
                 endpoint_url = https://role.test\n[profile base]\nregion = eu-north-1\n\
                 endpoint_url = https://base.test\n[profile sso]\nsso_session = s\nregion = cn-north-1\n";
    let region = async |profile, env: &[(&str, &str)]| for_profile(files, profile, env).await.region().to_owned();
    assert_eq!(region(None, &[]).await, "eu-west-1");
    assert_eq!(region(None, &[("AWS_PROFILE", "sso")]).await, "cn-north-1");
    assert_eq!(region(Some("role"), &[("AWS_PROFILE", "sso")]).await, "eu-north-1");
    assert_eq!(region(Some("role"), &[("AWS_REGION", "us-west-2")]).await, "us-west-2");
    assert_eq!(region(Some("nobody"), &[]).await, "us-east-1");
    let role = for_profile(files, Some("role"), &[("AWS_ENDPOINT_URL_ORGANIZATIONS", "https://org.test")]).await;
    let want = [("IAM", "https://role.test"), ("STS", "https://role.test"), ("Organizations", "https://org.test")];
    assert_eq!(urls(&role)[..3], want);
    assert_eq!(role.region_of(Service::Organizations), "us-east-1");
    let circle = "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nsource_profile = a\n";
    assert_eq!(for_profile(circle, Some("a"), &[]).await.region(), "us-east-1");
}

#[tokio::test]
async fn what_sends_notices_has_endpoints_of_its_own() {
    let env = [
        ("AWS_ENDPOINT_URL", "https://all.test"),
        ("AWS_ENDPOINT_URL_SNS", "https://sns.test"),
        ("AWS_ENDPOINT_URL_SESV2", "https://ses.test"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "https://secrets.test"),
    ];
    let it = for_profile("", None, &env).await;
    let url = |service| it.url(service).unwrap();
    let own = [Service::Sns, Service::SesV2, Service::SecretsManager, Service::Iam].map(url);
    assert_eq!(own, ["https://sns.test", "https://ses.test", "https://secrets.test", "https://all.test"]);
}
