//! The one list of facts: number in the reference, body, title, source.
//!
//! `for_each_fact!(callback)` hands it to a macro: a runner on the emulator, a runner on a server, a
//! page of documentation.

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
            17, pop_takes_the_first_or_the_last,
                "$pop takes one element from an end, and nothing from an empty or a missing array.",
                "MongoDB manual, reference/operator/update/pop";
        }
    };
}

pub(crate) use for_each_fact;
