//! The one list of facts: number, body, title, source.
//!
//! `for_each_fact!(callback)` hands it to a macro: a runner on the emulator, a runner on a server, a
//! page of documentation. `for_each_interleaving!` has what a single client cannot show.

macro_rules! for_each_fact {
    ($callback:ident) => {
        $callback! {
            1, a_write_to_one_document_is_all_or_nothing,
                "A write to one document is atomic: if one operator fails, none is applied.",
                "MongoDB manual, core/write-operations-atomicity";
            2, an_update_whose_filter_no_longer_matches_is_not_applied,
                "An update is applied only where its filter matches the current document; else it matches 0.",
                "MongoDB manual, core/write-operations-atomicity; server source, ensureStillMatches";
            3, find_and_modify_takes_the_first_of_the_sort,
                "Without concurrency, findAndModify with a sort takes the first document of the order.",
                "MongoDB manual, reference/command/findAndModify; SERVER-86250";
            4, an_upsert_inserts_what_the_filter_fixes,
                "An upsert that matches nothing inserts the equalities of its filter with the update.",
                "MongoDB manual, reference/method/db.collection.updateOne; SERVER-14322";
            5, an_upsert_guarded_by_ne_fails_on_a_duplicate_id,
                "An upsert by {_id, task_ids: {$ne}} whose guard fails ends with a duplicate key, not a retry.",
                "SERVER-37124, SERVER-47212; server source, shouldRetryDuplicateKeyException";
            6, a_unique_index_takes_missing_for_null,
                "A unique index takes a missing field for null: only one document may lack it.",
                "MongoDB manual, core/index-unique";
            6, a_sparse_index_skips_missing_but_not_null,
                "A sparse unique index skips documents without the field, not those with null.",
                "MongoDB manual, core/index-sparse";
            6, a_partial_index_skips_what_its_filter_excludes,
                "A partial unique index binds only the documents that match its filter.",
                "MongoDB manual, core/index-partial";
            6, a_compound_index_binds_the_combination,
                "A compound unique index binds the combination of its fields.",
                "MongoDB manual, core/index-unique";
            6, a_unique_index_on_an_array_binds_each_element,
                "A unique index on an array binds its elements across documents, not within one.",
                "MongoDB manual, core/index-unique, core/indexes/index-types/index-multikey";
            7, a_duplicate_key_names_its_index_from_every_command,
                "A duplicate key names its index, from insert, update and findAndModify alike.",
                "SERVER-14801, SERVER-50454";
            8, null_matches_missing_and_exists_tells_them_apart,
                "{f: null} matches null and missing; $exists tells them apart.",
                "MongoDB manual, tutorial/query-for-null-fields";
            9, a_comparison_stays_in_its_type,
                "{f: {$lte: 5}} matches no null, no missing field, no string: comparisons are type-bracketed.",
                "MongoDB manual, reference/bson-type-comparison-order";
            9, a_sort_goes_through_the_types,
                "A sort orders MinKey, null and missing, numbers, strings, objects, arrays, booleans, dates, MaxKey.",
                "MongoDB manual, reference/bson-type-comparison-order";
            9, integers_and_doubles_are_one_kind_of_number,
                "1 and 1.0 are equal in filters and in unique indexes.",
                "MongoDB manual, reference/bson-type-comparison-order";
            16, an_id_never_changes,
                "_id is immutable; setting it to the value that it has is allowed.",
                "MongoDB manual, core/document";
            16, an_id_is_unique_and_no_array,
                "_id is unique in its collection and may be of any type but an array.",
                "MongoDB manual, core/document";
            16, a_document_is_at_most_16_mib,
                "A write that makes a document larger than 16 MiB fails and changes nothing.",
                "MongoDB manual, reference/limits";
            17, push_appends_in_the_order_of_the_writes,
                "$push appends at the end: an array is in the order in which the pushes were applied.",
                "MongoDB manual, reference/operator/update/push";
            17, pull_takes_the_documents_that_match,
                "$pull by a query takes the documents of an array that match it, and no other element.",
                "MongoDB manual, reference/operator/update/pull; server source, pull_node.cpp";
            17, pop_takes_the_first_or_the_last,
                "$pop takes one element from an end, and nothing from an empty or a missing array.",
                "MongoDB manual, reference/operator/update/pop";
        }
    };
}

/// The same for what takes two clients between each other's steps, so that only the emulator shows it.
macro_rules! for_each_interleaving {
    ($callback:ident) => {
        $callback! {
            2, an_update_checks_its_filter_again_on_the_current_document,
                "A loser whose filter no longer matches is not applied, and goes on behind it.",
                "MongoDB manual, core/write-operations-atomicity; server source, ensureStillMatches";
            2, an_update_that_lost_its_only_candidate_matches_nothing,
                "Where nothing is behind it, nothing is matched.",
                "MongoDB manual, core/write-operations-atomicity; server source, ensureStillMatches";
            3, find_and_modify_keeps_its_record_when_the_sort_key_moves,
                "The record that was first is kept, though it is first no longer.",
                "SERVER-86250, SERVER-22178, SERVER-21434";
            3, find_and_modify_with_a_sort_does_not_go_on_to_the_second,
                "A record that no longer matches is given up, with no other in its place.",
                "SERVER-86250, SERVER-22178, SERVER-21434";
            4, two_upserts_insert_twice_without_a_unique_index,
                "Without a unique index two upserts insert twice.",
                "SERVER-16261, SERVER-14322";
            5, an_upsert_by_its_unique_key_is_retried,
                "An upsert by nothing but the unique key is run again by the server itself.",
                "SERVER-37124, SERVER-47212; server source, shouldRetryDuplicateKeyException";
            5, an_upsert_with_another_condition_is_not_retried,
                "Any other condition, and the error reaches the client.",
                "SERVER-37124, SERVER-47212; server source, shouldRetryDuplicateKeyException";
            5, an_upsert_that_breaks_another_index_is_not_retried,
                "An upsert by `_id` that breaks another index is not retried.",
                "SERVER-37124, SERVER-47212; server source, shouldRetryDuplicateKeyException";
            5, an_upsert_whose_update_brings_the_colliding_value_is_not_retried,
                "The fields are those of the index but the value that collides is not the filter's.",
                "SERVER-37124, SERVER-47212; server source, shouldRetryDuplicateKeyException";
            5, an_upsert_by_all_fields_of_a_compound_index_is_retried,
                "All fields of a compound index, in any order, are retried; some are not.",
                "SERVER-37124, SERVER-47212; server source, shouldRetryDuplicateKeyException";
            10, a_scan_is_no_snapshot,
                "A scan misses what comes behind it, and no moment need have shown what it returns.",
                "MongoDB manual, core/read-isolation-consistency-recency";
            10, a_scan_misses_a_document_that_moves_behind_it,
                "A document that matches at every moment is missed, if it moves behind the scan.",
                "MongoDB manual, core/read-isolation-consistency-recency";
            17, pushes_stand_in_the_order_of_their_writes,
                "Two pushes stand in the order in which they were applied, not in which they began.",
                "MongoDB manual, core/write-operations-atomicity";
            18, a_sweep_between_two_steps_takes_the_candidate,
                "A sweep that deletes what has expired may come between any two steps.",
                "MongoDB manual, core/index-ttl";
        }
    };
}

pub(crate) use {for_each_fact, for_each_interleaving};
