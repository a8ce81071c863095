//! WebDriver commands that the client library has no function for.

use fantoccini::{Client, wd::WebDriverCompatibleCommand};
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

/// A command below the session's address; one with a body is a POST.
#[derive(Debug)]
struct Wire {
    path: String,
    body: Option<Value>,
}

impl WebDriverCompatibleCommand for Wire {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        match &self.body {
            Some(body) => (Method::POST, Some(body.to_string())),
            None => (Method::GET, None),
        }
    }
}

async fn issue(client: &Client, path: String, body: Option<Value>) -> Result<Value, String> {
    client
        .issue_cmd(Wire { path, body })
        .await
        .map_err(|error| error.to_string())
}

/// The accessible name that the browser computes for an element.
pub async fn computed_label(client: &Client, element: &str) -> Result<String, String> {
    let value = issue(client, format!("element/{element}/computedlabel"), None).await?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}

/// The role that the browser computes for an element.
pub async fn computed_role(client: &Client, element: &str) -> Result<String, String> {
    let value = issue(client, format!("element/{element}/computedrole"), None).await?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}

/// A command of Chromium's DevTools protocol.
pub async fn devtools(client: &Client, command: &str, parameters: Value) -> Result<Value, String> {
    let body = json!({"cmd": command, "params": parameters});
    issue(client, "goog/cdp/execute".to_owned(), Some(body)).await
}

/// The errors in the browser's console since this was last asked: what scripts logged as errors,
/// uncaught exceptions, and requests that failed.
pub async fn console_errors(client: &Client) -> Result<Vec<String>, String> {
    let entries = issue(
        client,
        "se/log".to_owned(),
        Some(json!({"type": "browser"})),
    )
    .await?;
    let entries = entries.as_array().cloned().unwrap_or_default();
    let severe = entries.iter().filter(|entry| entry["level"] == "SEVERE");
    Ok(severe
        .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
        .collect())
}
