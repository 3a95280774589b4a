"""Statistics and nothing else: which account a line belongs to, and which names are one party.

The layers of this package, in the order data passes through them:

    normalize, lines      words and rows brought to one form
    history, text_model   what one client's past says
    chart, knowledge      what holds across clients, and how charts correspond
    sources, memory       what each source says, and what memory says, about a batch of lines
    evidence              a line's candidates and their features
    ranker                the ranking of candidates
    backtest, skill       a client's past replayed; what carries over from client to client
    confidence, track_record  scores turned into honest probabilities and a threshold
    safety, explanation   when a person must look, and why an account is suggested
    decision, categorizer one client's model: fit, suggest, learn
    storage, training     saved models; a challenger against the champion
    evaluation, protocols clients judged by time split (published_ledgers, sampling)
    metrics, figures      what is counted, beside the baselines, and how it is shown
    parties, party_pairs  names resolved to parties (words: party_words)

No Dagster, no SQL, no network, nothing of ``bill_pipeline``. Import the module you need; importing
this package alone loads nothing heavy.
"""
