//! `cargo bench`: all of the catalogue by Criterion, one bench after the other. Interleaved rounds,
//! memory and the rest are `cargo xtask bench`.

use costack_benches::case::{Case, Size};
use costack_benches::catalogue;
use criterion::{Criterion, criterion_group, criterion_main};
use std::cell::RefCell;
use std::time::Duration;

fn all(criterion: &mut Criterion) {
    for group in catalogue(Size::Quick) {
        let mut benches = criterion.benchmark_group(&group.id);
        for case in group.batches.into_iter().flatten() {
            if case.companion {
                continue;
            }
            let name = case.name();
            let Case { make, .. } = case;
            // Made when Criterion comes to it, which it does not if its name is filtered out.
            let mut make = Some(make);
            let run = RefCell::new(None);
            benches.bench_function(name, |bencher| {
                let mut run = run.borrow_mut();
                let made = run.get_or_insert_with(|| make.take().expect("made once")().run);
                bencher.iter_custom(made);
            });
        }
        benches.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = all
}
criterion_main!(benches);
