-- Every decision on a line's account there ever was: by a person, the model, or nobody sure enough.
--
-- The last person's decision that was not withdrawn counts, else the model's; `transactions` has the
-- account that counts now. Rules are not copied into decisions: `rules` has them.
--
-- grain: one row per document line and decision
-- key: document_type, document_id, line_id, decision_no
-- owner: team:accounting
-- materialize: view
select
    made.document_type,                                     -- bill, vendor_credit, invoice or credit_memo.
    made.document_id,                                       -- BILL's id of the document.
    made.line_id,                                           -- BILL's id of the line, else its position when it was decided.
    (row_number() over (
        partition by made.document_type, made.document_id, made.line_id
        order by made.decided_at, made.rowid
    ))::integer as decision_no,                             -- 1, 2, 3 … in the order in which they were made.
    made.decided_at,                                        -- When (UTC).
    made.decided_by,                                        -- The person, or the model's name.
    made.source,                                            -- person, model, or default: nobody was sure enough.
    made.account_id,                                        -- The account chosen; null: none, or the line was split.
    made.confidence,                                        -- Probability in 0–1 that it is right, as said then.
    made.model_version,                                     -- Model that decided, if one did.
    made.reason,                                            -- Why, in words.
    coalesce(made.withdrawn, false) as is_withdrawn,        -- Takes the decision before it back.
    made.parts                                              -- What a person split the line into: account, amount, dimensions and text of each.
from decisions.categories as made
inner join ledger.books as books on made.decided_at <= books.known_until
