//! What every store must do: the same tests on the one in memory and on Redis.
#![cfg(feature = "native-redis")]
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod store_cases;
mod store_support;

/// Runs each case on both stores.
macro_rules! on_both {
    ($($file:ident: $($case:ident)*;)*) => {
        mod memory {
            $($(#[test]
            fn $case() {
                let bench = crate::store_support::Memory::default();
                crate::store_support::block_on(crate::store_cases::$file::$case(&bench));
            })*)*
        }
        mod redis {
            $($(#[test]
            fn $case() {
                crate::store_support::block_on(async {
                    let bench = crate::store_support::Redis::start().await;
                    crate::store_cases::$file::$case(&bench).await;
                });
            })*)*
        }
    };
}

on_both! {
    values:
        nothing_is_there_at_first
        records_have_the_version_of_their_commit
        sets_have_one_version
        counters_add_up
        indexes_are_sorted
        many_names_are_read_at_once
        a_full_commit_goes_through
        what_cannot_be_carried_out_is_an_outage
        tenants_do_not_see_each_other
        a_new_tenant_is_listed_first;
    checks:
        checks_go_in_order_and_write_nothing
        versions_are_checked
        unmarked_is_checked
        a_life_is_checked
        guards_see_live_counters
        a_floor_is_the_live_minimum
        remaining_never_goes_below_zero
        sums_beyond_two_to_the_53_are_an_outage
        replies_are_kept_under_their_key
        kept_replies_end;
    streams:
        marks_remember_their_causes
        a_mark_comes_off_only_as_it_was_read
        events_have_the_sequences_after_the_version
        behind_is_about_the_types_that_matter
        cursors_move_once
        a_cut_merges_streams_in_order
        a_cut_of_reporting_holds_all_but_its_own
        a_long_stream_is_cut_short
        nudges_come_when_a_domain_falls_behind
        nudges_come_when_the_first_item_waits;
    leases:
        leases_are_held_and_end
        what_waits_is_taken_up
        what_is_of_no_interest_waits_beyond_a_gap
        nothing_to_do_gives_the_lease_back
        tries_count_until_something_moves
        tries_know_since_when;
}
