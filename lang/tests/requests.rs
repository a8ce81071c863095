//! Calls that ask the runtime for something.

use costack_lang::request::{Param, Service};
use costack_lang::syntax::{ExprKind, StmtKind, Subject};

const DECLARED: &str = "scenario \"requests\"
stack S shared 4096
task A on S = f()
mutex m
event e
channel c 2
queue q
group g
work w
fn f() { yield }
";

fn program(body: &str) -> Result<costack_lang::Program, String> {
    let text = format!("{DECLARED}main {{\n{body}\n}}\n");
    costack_lang::parse("requests.costack", &text).map_err(|errors| errors.render(false))
}

/// A call of a service with what fits each of its places.
fn call(service: Service) -> String {
    let args: Vec<&str> = service
        .params()
        .iter()
        .map(|param| match param {
            Param::Word => "1 + 2",
            Param::Things(_) => "e, c, m, A, g, q, w",
            Param::Thing(sorts) => match sorts[0].to_string().as_str() {
                "a task" => "A",
                "a mutex" => "m",
                "an event" => "e",
                "a channel" => "c",
                "a wait queue" => "q",
                "a group" => "g",
                "a work queue" => "w",
                other => panic!("{other}"),
            },
        })
        .collect();
    format!("{}({})", service.name(), args.join(", "))
}

#[test]
fn every_service_is_a_statement_and_an_expression_and_is_written_back() {
    for &service in Service::ALL {
        let call = call(service);
        let body = format!("    {call}\n    let x = {call} + 1");
        let program = program(&body).unwrap_or_else(|errors| panic!("{errors}"));
        let mut services = 0;
        program.for_each_stmt(|_, stmt| {
            if let StmtKind::Request(request) = &stmt.kind {
                assert_eq!(request.service, service);
                services += 1;
            }
        });
        program.for_each_expr(|expr| {
            if let ExprKind::Request(request) = &expr.kind {
                assert_eq!(request.service, service);
                services += 1;
            }
        });
        assert_eq!(services, 2, "{call}");
        let written = costack_lang::format(&program);
        assert!(written.contains(&format!("    {call}\n")), "{written}");
        let again = costack_lang::parse("again.costack", &written).expect("what was written");
        assert_eq!(again.without_places(), program.without_places());
    }
}

#[test]
fn every_service_is_something_that_the_engine_can_be_asked() {
    use costack_engine::sched::{Request, TaskId};
    for &service in Service::ALL {
        let program = program(&call(service)).unwrap();
        let mut asked = None;
        program.for_each_stmt(|_, stmt| {
            if let StmtKind::Request(request) = &stmt.kind {
                let words = vec![5; request.args.len()];
                type Names = fn(costack_lang::syntax::TaskId) -> Option<TaskId>;
                let ask = |task: Names| service.ask(&request.subjects, &words, 100, task);
                let names_a_task = request
                    .subjects
                    .iter()
                    .any(|s| matches!(s, Subject::Task(_)));
                assert_eq!(ask(|_| None).is_err(), names_a_task, "{service:?}");
                asked = Some(ask(|_| Some(TaskId::MAIN)).unwrap());
            }
        });
        let asked = asked.expect("one request");
        assert_eq!(asked.is_none(), service == Service::Received);
        if let Some(Request::Wait { until_us, .. } | Request::Select { until_us, .. }) = asked {
            let is_limited = service.name().ends_with("_for") || service == Service::WaitStop;
            assert_eq!(until_us, is_limited.then_some(105), "{service:?}");
        }
    }
}

#[test]
fn a_function_of_the_program_hides_a_service() {
    let text = DECLARED.replace("fn f() {", "fn stop(x) { return x }\nfn f() {");
    let program = costack_lang::parse("hides.costack", &(text + "main { let x = stop(3) }\n"));
    let program = program.unwrap_or_else(|errors| panic!("{}", errors.render(false)));
    let mut calls = 0;
    program.for_each_expr(|expr| calls += u32::from(matches!(expr.kind, ExprKind::Call(_))));
    assert_eq!(calls, 1);
}

#[test]
fn the_new_words_are_names_elsewhere() {
    let program = program(
        "    let queue = 1\n    let group = queue\n    let work = group + 1\n    work = 2\n    \
         while queue < work { queue = queue + 1 }",
    );
    assert_eq!(program.err(), None);
}

#[track_caller]
fn refused(body: &str, message: &str, expected: &str) {
    let errors = program(body).expect_err("a mistake");
    assert!(errors.contains(message), "{errors}");
    assert!(errors.contains(expected), "{errors}");
}

#[test]
fn mistakes_say_what_was_expected() {
    refused("cancel(m)", "`m` is a mutex", "expected a task or a group");
    refused(
        "cancel(1 + 2)",
        "`cancel` takes a name here",
        "expected a task",
    );
    refused("cancel(B)", "there is no task `B`", "expected a task");
    refused("wait_for(e)", "`wait_for`", "expected 2 arguments");
    refused(
        "stop_requested(1)",
        "`stop_requested`",
        "expected 0 arguments",
    );
    refused("select()", "`select`", "expected 1 argument");
    refused(
        "let x = 1\nlock_for(x, 1)",
        "`x` is a local word",
        "expected a mutex",
    );
    refused("queue r", "", "");
}
