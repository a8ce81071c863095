//! `cargo bench -p costack-capi --bench c_round_trips`: round trips through the C functions.

mod support;

use criterion::{Criterion, criterion_group, criterion_main};
use std::time::{Duration, Instant};
use support::{all, corosensei_root};

fn c_round_trips(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("c_round_trip");
    let yardstick = ("corosensei".to_owned(), corosensei_root());
    for (name, mut run) in std::iter::once(yardstick).chain(all()) {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|trips| {
                let start = Instant::now();
                run(trips);
                start.elapsed()
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = c_round_trips
}
criterion_main!(benches);
