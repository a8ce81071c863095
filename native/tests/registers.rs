//! Whatever was in registers before a switch is there after it, on both sides: numbers and
//! floating-point numbers, more of each than there are registers.

use costack::{Builder, Coroutine, SharedStack, State, Yielder};
use std::hint::black_box;

type Co = Coroutine<u64, u64, (u64, f64)>;

/// Keeps sixteen of each live over `between`, and returns a digest of them.
#[inline(always)]
fn keep(seed: u64, between: impl FnOnce() -> u64) -> (u64, f64) {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]: [u64; 16] =
        std::array::from_fn(|at| black_box(seed.wrapping_mul(2 * at as u64 + 3)));
    let [
        aa,
        bb,
        cc,
        dd,
        ee,
        ff,
        gg,
        hh,
        ii,
        jj,
        kk,
        ll,
        mm,
        nn,
        oo,
        pp,
    ]: [f64; 16] = std::array::from_fn(|at| black_box((seed % 1000) as f64 + at as f64 / 7.0));
    let got = between();
    let words = [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p];
    let floats = [
        aa, bb, cc, dd, ee, ff, gg, hh, ii, jj, kk, ll, mm, nn, oo, pp,
    ];
    let digest = words
        .iter()
        .fold(got, |sum, word| sum.rotate_left(5) ^ word);
    (
        digest,
        floats.iter().fold(0.0, |sum, float| sum * 0.5 + float),
    )
}

fn inside(yielder: &Yielder<u64, u64>, seed: u64) -> (u64, f64) {
    keep(seed, || yielder.suspend(seed + 1))
}

#[track_caller]
fn check(mut cos: [Co; 2]) {
    for (seed, co) in (100..).zip(&mut cos) {
        assert_eq!(co.resume(seed), State::Yielded(seed + 1));
    }
    for (seed, co) in (100..).zip(&mut cos) {
        let mut returned = None;
        let outside = keep(seed + 50, || {
            returned = co.resume(seed * 3).returned();
            9
        });
        assert_eq!(outside, keep(seed + 50, || 9), "in the resumer");
        assert_eq!(returned, Some(keep(seed, || seed * 3)), "in the coroutine");
    }
}

#[test]
fn they_survive_on_own_stacks() {
    check([false, true].map(|fp| Builder::new().keep_fp(fp).build(inside).unwrap()));
}

#[test]
fn they_survive_an_eviction() {
    for fp in [false, true] {
        let stack = SharedStack::new(64 * 1024).unwrap();
        // SAFETY: no pointer into the coroutines' frames leaves them.
        check([(); 2].map(|()| unsafe {
            let builder = Builder::new().keep_fp(fp);
            builder.build_shared(&stack, inside).unwrap()
        }));
    }
}
