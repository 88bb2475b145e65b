#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""live.py COMMAND...: starts the live page with COMMAND and uses it in headless Chromium as a person
would: the page opens, a click breaks the upstream, the breaker is seen to open, another heals it and
it closes; then the breaker is isolated and reset. Exits with 3 if there is no browser to be had.
"""
import shutil
import signal
import subprocess
import sys

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait
except ImportError:
    sys.exit(3)

# Nothing here should take longer, however busy the machine; what is waited for comes in a second.
PATIENCE_S = 60

# In one go, for the page draws its chart anew several times a second.
READ_LINES = """return Array.from(document.querySelectorAll('#rates polyline'),
                                  line => line.getAttribute('points'))"""


def open_browser():
    browser, driver = shutil.which('chromium'), shutil.which('chromedriver')
    if browser is None or driver is None:
        sys.exit(3)
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ('--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'):
        options.add_argument(argument)
    return webdriver.Chrome(service=Service(driver), options=options)


class Page:
    def __init__(self, browser, address):
        self.browser = browser
        browser.get(address)

    def text(self, name):
        return self.browser.find_element(By.ID, name).text

    def click(self, name):
        self.browser.find_element(By.ID, name).click()

    def await_text(self, name, *wanted):
        WebDriverWait(self.browser, PATIENCE_S, poll_frequency=0.02).until(
            lambda _: self.text(name) in wanted, f'{name} is {self.text(name)}, not {wanted}')
        print(f'{name} is {self.text(name)}')

    def await_number(self, name, holds):
        WebDriverWait(self.browser, PATIENCE_S).until(
            lambda _: self.text(name).isdigit() and holds(int(self.text(name))))
        print(f'{name} is {self.text(name)}')


def use(page):
    page.await_text('upstream', 'healthy')
    page.await_text('breaker', 'closed')
    page.await_number('requests', lambda number: number > 0)
    page.click('break')
    page.await_text('upstream', 'outage')
    page.await_text('breaker', 'open')
    page.await_number('rejected', lambda number: number > 0)
    page.click('heal')
    page.await_text('upstream', 'healthy')
    page.await_text('breaker', 'closed')
    page.click('isolate')
    page.await_text('breaker', 'isolated')
    page.click('reset')
    page.await_text('breaker', 'closed')
    lines = page.browser.execute_script(READ_LINES)
    assert len(lines) == 4 and all(points.strip() for points in lines), lines
    errors = [entry for entry in page.browser.get_log('browser') if 'favicon' not in entry['message']]
    assert not errors, errors


def main():
    server = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
    browser = open_browser()
    try:
        use(Page(browser, server.stdout.readline().strip()))
    finally:
        browser.quit()
        server.send_signal(signal.SIGTERM)
        code = server.wait(PATIENCE_S)
    sys.exit(code)


main()
