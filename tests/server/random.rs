//! Random values that are the same in each run.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// A stream of random values.
pub(crate) struct Random(TestRunner);

impl Random {
    /// The stream of this number.
    pub(crate) fn new(number: u64) -> Random {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        Random(TestRunner::new_with_rng(Config::default(), rng))
    }

    pub(crate) fn draw<T: std::fmt::Debug>(&mut self, strategy: &impl Strategy<Value = T>) -> T {
        strategy.new_tree(&mut self.0).unwrap().current()
    }
}
