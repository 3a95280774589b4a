-- Every line of a bill, invoice or credit names the vendor or customer that BILL names on the document.
--
-- table: ledger.postings
-- follows: document
-- severity: error
select
    postings.document_type, postings.document_id, postings.event, postings.line_key,
    postings.party_id as party_in_postings, documents.party_id as party_in_document
from ledger.postings as postings
inner join ledger.documents as documents using (document_type, document_id)
where postings.document_type in ('bill', 'vendor_credit', 'invoice', 'credit_memo')
    and postings.event = 'entered'
    and postings.party_id is distinct from documents.party_id
