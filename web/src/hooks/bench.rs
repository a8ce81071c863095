//! Native results, fetched from beside the page.

use std::rc::Rc;

use gloo::net::http::Request;
use yew::prelude::*;

use crate::model::bench::Report;

/// What came of fetching them; `None` while they are on their way.
pub type Fetched = Option<Result<Rc<Report>, AttrValue>>;

/// Fetches the results once.
#[hook]
pub fn use_bench() -> Fetched {
    let fetched = use_state(|| None);
    {
        let fetched = fetched.clone();
        use_effect_with((), move |()| {
            yew::platform::spawn_local(async move {
                let result = fetch().await.map(Rc::new).map_err(AttrValue::from);
                fetched.set(Some(result));
            });
        });
    }
    (*fetched).clone()
}

async fn fetch() -> Result<Report, String> {
    let failed = |error: gloo::net::Error| format!("bench.json cannot be had: {error}");
    let answer = Request::get("bench.json").send().await.map_err(failed)?;
    if !answer.ok() {
        return Err(format!(
            "there is no bench.json beside this page ({})",
            answer.status()
        ));
    }
    Report::parse(&answer.text().await.map_err(failed)?)
}
