//! `cargo bench`: round trips on own and on shared stacks, and whole lives.

use corosensei::stack::DefaultStack;
use costack_benches::shared::{Copies, PADDINGS, Ring};
use costack_benches::{SHAPES, corosensei_shapes, costack_shapes};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Coroutines of a ring: enough that each save stack is another one, few enough for the L1 cache
/// at small images.
const RING: usize = 16;

/// Measures calls of `run`, which makes as many round trips as it is told.
fn timed(mut run: impl FnMut(u64)) -> impl FnMut(u64) -> Duration {
    move |trips| {
        let start = Instant::now();
        run(trips);
        start.elapsed()
    }
}

fn own_round_trip(criterion: &mut Criterion) {
    let pairs = costack_shapes::shapes()
        .into_iter()
        .zip(corosensei_shapes::shapes());
    for (shape, (mut ours, mut peer)) in SHAPES.into_iter().zip(pairs) {
        let mut group = criterion.benchmark_group(format!("own_round_trip/{shape}"));
        group.bench_function("costack", |bencher| bencher.iter_custom(timed(&mut ours)));
        group.bench_function("corosensei", |bencher| {
            bencher.iter_custom(timed(&mut peer))
        });
        group.finish();
    }
}

fn life(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("life/create_run_drop");
    let mut value = 0;
    group.bench_function("costack", |bencher| {
        bencher.iter(|| value = costack_shapes::create_run_drop(black_box(value)));
    });
    let mut kept: Option<DefaultStack> = Some(corosensei_shapes::stack());
    group.bench_function("corosensei", |bencher| {
        bencher.iter(|| {
            let stack = kept.take().expect("put back below");
            let (stack, next) = corosensei_shapes::create_run_drop(stack, black_box(value));
            (kept, value) = (Some(stack), next);
        });
    });
    group.finish();
}

fn shared_round_trip(criterion: &mut Criterion) {
    for padding in PADDINGS {
        let mut ring = Ring::new(RING, padding);
        let bytes = ring.image_bytes;
        let mut copies = Copies::new(RING, bytes);
        let mut group = criterion.benchmark_group("shared_round_trip");
        group.bench_function(BenchmarkId::new(bytes.to_string(), "costack"), |bencher| {
            bencher.iter_custom(timed(|trips| ring.turn(trips)));
        });
        group.bench_function(
            BenchmarkId::new(bytes.to_string(), "two_plain_copies"),
            |bencher| {
                bencher.iter_custom(timed(|trips| copies.turn(trips)));
            },
        );
        group.finish();
    }
}

criterion_group! {
    name = round_trips;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = own_round_trip, life, shared_round_trip
}
criterion_main!(round_trips);
