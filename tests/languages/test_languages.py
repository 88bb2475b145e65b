# SPDX-License-Identifier: MIT
"""One process, three languages: Python makes a runtime and hands it to a C and to a Rust extension as a
capsule. Neither knows the Python binding; each finds the policies by their registered names.
"""
import threading
import unittest

import guest_c
import guest_rust
import weir

GUESTS = (guest_c, guest_rust)
PERMITS = 300_000


def take_all_of(limiter):
    taken = 0
    while limiter.try_acquire() is not None:
        taken += 1
    return taken


def at_once(functions):
    """Calls all of them at one moment, each on a thread of its own; their results in order."""
    results = [None] * len(functions)
    barrier = threading.Barrier(len(functions))

    def call(index):
        barrier.wait()
        results[index] = functions[index]()

    threads = [threading.Thread(target=call, args=(index,)) for index in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class OneProcess(unittest.TestCase):
    def setUp(self):
        self.runtime = weir.Runtime(name='shared')
        self.capsule = self.runtime.capsule()

    def tearDown(self):
        self.capsule = None
        self.assertTrue(self.runtime.close(10))

    def breaker(self, name):
        breaker = weir.Breaker(failure_threshold=5, reset_timeout=600, name=name, runtime=self.runtime)
        breaker.register()
        return breaker

    def assert_open_to_all(self, breaker):
        for guest in GUESTS:
            self.assertTrue(guest.is_open(self.capsule, breaker.name), guest.__name__)
            self.assertEqual(guest.fail(self.capsule, breaker.name, 1), 0)
        with self.assertRaises(weir.BreakerOpen):
            breaker.acquire()

    def test_a_breaker_that_one_language_opens_is_open_to_all(self):
        for guest in GUESTS:
            with self.subTest(guest.__name__):
                breaker = self.breaker(f'opened-by-{guest.__name__}')
                self.assertFalse(any(other.is_open(self.capsule, breaker.name) for other in GUESTS))
                self.assertEqual(guest.fail(self.capsule, breaker.name, 9), 5)
                self.assert_open_to_all(breaker)

    def test_a_breaker_that_python_opens_is_open_to_all(self):
        breaker = self.breaker('opened-by-python')
        for _ in range(5):
            breaker.report(breaker.acquire(), 2)
        self.assert_open_to_all(breaker)

    def test_failures_of_three_languages_open_one_breaker(self):
        breaker = self.breaker('opened-by-all')
        self.assertEqual([guest.fail(self.capsule, breaker.name, 2) for guest in GUESTS], [2, 2])
        breaker.report(breaker.acquire(), 2)
        self.assert_open_to_all(breaker)

    def test_three_languages_take_exactly_what_a_limiter_has(self):
        limiter = weir.Limiter(max_concurrent=PERMITS, name='quota', runtime=self.runtime)
        limiter.register()
        taken = at_once([lambda: guest_c.take_all(self.capsule, 'quota'),
                         lambda: guest_rust.take_all(self.capsule, 'quota'),
                         lambda: take_all_of(limiter)])
        print("\ntaken by C, Rust, Python:", *taken)
        self.assertEqual(sum(taken), PERMITS)

    def test_a_name_that_nobody_registered_is_an_error(self):
        for guest in GUESTS:
            with self.assertRaisesRegex(LookupError, 'nobody'):
                guest.is_open(self.capsule, 'nobody')

    def test_a_capsule_of_something_else_is_an_error(self):
        import datetime
        for guest in GUESTS:
            with self.assertRaises(ValueError):
                guest.is_open(datetime.datetime_CAPI, 'api')

    def test_the_capsule_outlives_the_object_it_came_from(self):
        capsule = weir.Runtime(name='short').capsule()
        for guest in GUESTS:
            with self.assertRaises(LookupError):
                guest.is_open(capsule, 'gone')


if __name__ == '__main__':
    unittest.main(verbosity=2)
