"""Statistics and nothing else: which account a line belongs to, and which names are one party.

The rooms of this package, in the order data passes through them:

    normalize, lines      words and rows brought to one form
    history, text_model   what one client's past says
    chart, knowledge      what holds across clients, and how charts correspond
    evidence, ranker      candidates of a line and their ranking
    replay, confidence    the past replayed; scores turned into honest probabilities
    safety, explanation   when a person must look, and why an account is suggested
    decision, categorizer one client's model: fit, suggest, learn
    storage, training     saved models; a challenger against the champion
    evaluation            figures by time split, beside the baselines
    parties               names resolved to parties

No Dagster, no SQL, no network, nothing of ``bill_pipeline``. Import the module you need; importing
this package alone loads nothing heavy.
"""
