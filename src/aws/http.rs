//! One HTTP client for the whole run: its connections are shared by all signers and services.
//!
//! Nothing is built before the first call, and TLS with its root certificates not before the first
//! call to an `https` endpoint: `status --offline` and a loopback sandbox never pay for it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

/// The shared client. `connect_timeout` bounds the name look-up, the TCP connect and the TLS handshake.
///
/// Unlike the SDK's default client it honours `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, as the AWS CLI
/// does, for `https` only: plain `http` is loopback's (see `endpoint`) and must not leave the machine.
pub fn shared_client(connect_timeout: Duration) -> SharedHttpClient {
    client_of(connector(connect_timeout))
}

/// What is under the client, for requests that are not the SDK's. It follows no redirect and repeats nothing that went
/// out.
pub(super) fn connector(connect_timeout: Duration) -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(connect_timeout).build();
    SharedHttpConnector::new(ByScheme(Arc::new(Parts { settings, plain: OnceLock::new(), tls: OnceLock::new() })))
}

pub(super) fn client_of(connector: SharedHttpConnector) -> SharedHttpClient {
    http_client_fn(move |_, _| connector.clone())
}

/// Sends `http` and `https` requests to a connector each, built when first needed.
#[derive(Debug, Clone)]
struct ByScheme(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    settings: HttpConnectorSettings,
    plain: OnceLock<Connector>,
    tls: OnceLock<Connector>,
}

impl HttpConnector for ByScheme {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let parts = &self.0;
        if request.uri().starts_with("http://") {
            parts.plain.get_or_init(|| plain(&parts.settings)).call(request)
        } else {
            parts.tls.get_or_init(|| tls(&parts.settings)).call(request)
        }
    }
}

fn plain(settings: &HttpConnectorSettings) -> Connector {
    Connector::builder().connector_settings(settings.clone()).build_http()
}

fn tls(settings: &HttpConnectorSettings) -> Connector {
    Connector::builder()
        .connector_settings(settings.clone())
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build()
}
