//! The switch texts of `asm/` are proven, and texts with a known flaw are refuted for that flaw.

use std::borrow::Cow;

use costack_sim::program::{Isa, Part, Rights};
use costack_sim::prove::{Contract, Flavour, Id, Report, Status, Transition, built_in, prove};

const FLAVOURS: [Flavour; 2] = [Flavour::Integer, Flavour::Fp];

fn part(text: &str) -> Part {
    Part {
        file: Cow::Borrowed("test.s"),
        first_line: 1,
        text: Cow::Owned(text.to_owned()),
        rights: Rights::Plain,
        statements: Vec::new(),
    }
}

#[test]
fn every_built_in_text_is_proven_at_both_transitions() {
    for isa in Isa::ALL {
        for flavour in FLAVOURS {
            let Some(text) = built_in(isa, flavour) else { continue };
            let contract = Contract::of(isa, flavour).expect("a text has a contract");
            let reports = prove(&contract, &text).expect("the text assembles");
            assert_eq!(reports.len(), 2);
            for report in &reports {
                println!("{report}");
                for step in &report.steps { println!("   {:60} sp {} | {:?}", step.at.to_string(), step.sp, step.writes); }
                assert!(report.is_proven(), "{report}");
            }
        }
    }
}
