import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.calling.rules.budget import Budget, Ceiling, PriceList, Prices, Reservation

PRICES = Prices(prompt=0.8, completion=2.0, cached=0.2)
DEARER = Prices(prompt=4.0, completion=16.0)


@given(
    st.builds(
        Ceiling,
        cost=st.none() | st.floats(0.1, 20),
        tokens=st.none() | st.integers(100, 20_000),
        calls=st.none() | st.integers(1, 30),
    ),
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.integers(0, 400),
            st.integers(0, 512),
            st.floats(0, 1),
            st.sampled_from([PRICES, DEARER]),
        ),
        max_size=120,
    ),
    st.integers(1, 16),
)
def test_nothing_exceeds_the_ceiling_whatever_calls_take_and_however_they_end(ceiling, calls, at_once):
    budget = Budget(ceiling, max_tokens=512)
    under_way: list[tuple[Reservation, int, int, int, float]] = []
    cost = tokens = paid = 0.0

    def end() -> None:
        nonlocal cost, tokens, paid
        asked, fate, prompt, completion, cached = under_way.pop(0)
        if fate == 0:  # refused: took nothing
            budget.release(asked)
            return
        if fate == 1:  # nobody said what it took, and it took all that it could
            budget.settle(asked, 0, 0)
            prompt, completion, cached_tokens = asked.prompt_tokens, asked.completion_tokens, 0
        else:
            cached_tokens = int(prompt * cached)
            budget.settle(asked, prompt, completion, cached_tokens)
            if not prompt and not completion:  # a reply that told of nothing counts in full
                prompt, completion, cached_tokens = asked.prompt_tokens, asked.completion_tokens, 0
        cost += asked.prices.cost(prompt, completion, cached_tokens)
        tokens += prompt + completion
        paid += 1

    for fate, prompt_tokens, completion, cached, prices in calls:
        asked = budget.reservation("x" * prompt_tokens, prices)
        if budget.fits(asked):
            budget.reserve(asked)
            under_way.append((asked, fate, prompt_tokens, completion, cached))
        if len(under_way) >= at_once:
            end()
    while under_way:
        end()
    assert ceiling.cost is None or cost <= ceiling.cost * (1 + 1e-9)
    assert ceiling.tokens is None or tokens <= ceiling.tokens
    assert ceiling.calls is None or paid <= ceiling.calls


@given(st.text(max_size=200))
def test_a_reservation_is_above_what_any_tokenizer_makes_of_a_prompt(prompt):
    budget = Budget(Ceiling(), max_tokens=10)
    assert budget.reservation(prompt, PRICES).prompt_tokens >= len(prompt.encode("utf-8", "surrogatepass"))


def test_a_longer_answer_than_was_allowed_is_expected_again():
    budget = Budget(Ceiling(tokens=5000), max_tokens=10)
    asked = budget.reservation("x", PRICES)
    budget.reserve(asked)
    budget.settle(asked, 5, 900)
    assert budget.reservation("x", PRICES).completion_tokens == 900


def test_a_call_of_another_model_reserves_its_own_longest_answer_and_what_it_sends_besides():
    asked = Budget(Ceiling(), max_tokens=10).reservation("x", PRICES, max_tokens=700, beside=2000)
    assert asked.completion_tokens == 700
    assert asked.prompt_tokens >= 2001


def test_what_a_call_in_flight_can_cost_stays_held_when_another_one_ends():
    asked = Budget(Ceiling(), max_tokens=512).reservation("x" * 100, DEARER)
    budget = Budget(Ceiling(cost=2.5 * asked.cost), max_tokens=512)
    for _ in range(2):
        budget.reserve(asked)
    budget.release(asked)
    assert budget.fits(asked)
    budget.reserve(asked)
    assert not budget.fits(asked)


def test_a_call_that_does_not_fit_now_may_fit_when_another_has_ended():
    budget = Budget(Ceiling(tokens=1000), max_tokens=500)
    first, second = budget.reservation("x", PRICES), budget.reservation("y", PRICES)
    budget.reserve(first)
    assert not budget.fits(second)
    assert not budget.is_idle
    budget.settle(first, 20, 30)
    assert budget.fits(second)


@pytest.mark.parametrize(
    ("ceiling", "spent", "left"),
    [
        (Ceiling(), (5.0, 100, 3), Ceiling()),
        (Ceiling(calls=10), (0.0, 0, 3), Ceiling(calls=7)),
        (Ceiling(calls=10, tokens=100), (0.0, 100, 3), None),
        (Ceiling(cost=1.0), (1.5, 0, 0), None),
    ],
)
def test_left_after_is_what_the_next_may_spend(ceiling, spent, left):
    assert ceiling.left_after(*spent) == left


def test_cached_tokens_have_a_price_of_their_own():
    assert PRICES.cost(1000, 500, 400) == pytest.approx(0.6 * 0.8 + 0.4 * 0.2 + 0.5 * 2.0)
    assert Prices(prompt=0.8).cost(1000, 0, 400) == pytest.approx(0.8)


def test_a_price_list_has_the_first_model_s_prices_for_whatever_is_not_the_second():
    prices = PriceList(PRICES, "spare", DEARER)
    assert [prices.of(model) for model in ("sft", "spare", "")] == [PRICES, DEARER, PRICES]
    assert PriceList(PRICES).of("") == PRICES
