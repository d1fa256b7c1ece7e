// The tests of the dashboard in a browser, each started by a test of the same name in tests/e2e/test_dashboard.py.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { main, scene, server, Tab } from './browser.mjs'

const UNAUTHORIZED = /401 \(Unauthorized\)/
const UNREACHABLE = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|50[0-9] \(/

const FILE = 'phone,name,city\r\n+12125550100,Ada Lovelace,London\r\n030,Carl,Berlin\r\n+12125550100,Ada Again,Paris\r\n' +
	Array.from({ length: 9 }, (_, i) => `+1212555011${i},Person ${i},Paris\r\n`).join('')

// Every page, with a scene that has one object of each kind.
const pages = () => ['/', '/campaigns', '/campaigns/new', '/campaigns/new?step=when', `/campaigns/${scene.active}`, `/campaigns/${scene.active}/contacts`, `/campaigns/${scene.active}/history`,
	`/campaigns/${scene.active}/contacts/1`, `/campaigns/${scene.active}/calls`, `/campaigns/${scene.paused}/plan`, `/campaigns/${scene.paused}/edit`,
	`/campaigns/${scene.draft}`, `/campaigns/${scene.draft}/add`, `/campaigns/${scene.over}`, '/calls', `/calls/${scene.call}`,
	'/contacts', `/contacts/folders/${scene.folder}`, `/contacts/${scene.contact}`, '/do-not-call', '/agents', `/agents/${scene.agent}`, '/numbers', '/webhooks',
	`/webhooks/${scene.webhook}`, `/webhooks/deliveries/${scene.delivery}`, '/settings/view', '/settings/keys', '/settings/limits', '/settings/audit', '/nowhere']

async function signIn(tab, key) {
	await tab.field('API key').fill(key)
	await tab.button('Sign in').click()
}

main({
	async signs_in_with_keys_that_may_read() {
		const tab = await Tab.open({ path: '/campaigns', key: null })
		tab.expect(UNAUTHORIZED)
		await tab.shows('Sign in', 'h1')
		await signIn(tab, 'outdial_' + 'x'.repeat(43))
		await tab.shows('This API key is not known.')
		assert.equal(await tab.page.evaluate(() => document.activeElement.id), 'key')
		await signIn(tab, scene.reports)
		await tab.shows('may only report calls')
		await signIn(tab, scene.read)
		await tab.shows('Campaigns', 'h1')
		assert.equal(await tab.button('New campaign').count(), 0, 'an action that the key may not do')
		await tab.shows('read only')
		const kept = await tab.page.evaluate(() => sessionStorage.getItem('outdial-key'))
		assert.match(kept, /^outdial_/)
		assert.notEqual(kept, scene.read, 'the key that was typed is not kept')
		assert.ok(tab.requests.at(-1).key.endsWith(kept), 'and not used any more')
		// A second tab is signed in by the first, and signed out with it.
		const other = await tab.context.newPage()
		await other.goto(tab.page.url())
		await other.getByRole('heading', { name: /Campaigns/ }).waitFor()
		await tab.button('More').click()
		await tab.button('Sign out').click()
		await tab.shows('Sign in', 'h1')
		await other.getByLabel('API key').waitFor()
		assert.equal(await tab.page.evaluate(() => sessionStorage.getItem('outdial-key')), null)
		await server('ended')
		await tab.close()
	},

	async a_campaign_from_the_wizard_to_its_results() {
		const tab = await Tab.open({ path: '/campaigns' })
		await tab.page.getByRole('link', { name: 'New campaign' }).first().click()
		await tab.field('Name').fill('Spring <b>renewal</b>')
		await tab.field('Agent').selectOption({ label: scene.agent_name })
		await tab.button('Next').click()
		await tab.button('Around the clock').click()
		await tab.field('Calls at once').fill('2')
		await tab.field('A minute, at most').fill('60')
		await tab.button('Next').click()
		await tab.page.setInputFiles('input[type=file]', { name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(FILE) })
		await tab.button('Check the whole file').click()
		await tab.shows(/10\s+will be loaded/)
		await tab.shows(/= 12\s+rows/)
		await tab.shows('030')
		await tab.button('Load 10 contacts').click()
		await tab.shows(/10\s+loaded/)
		await tab.button('Next').click()
		await tab.shows(/10 contacts from/)
		await tab.button('Schedule').click()
		await tab.shows('Spring <b>renewal</b>', 'h1')
		await tab.button('Pause').click()
		await tab.shows('Paused\\.')
		await server('quiet')
		await tab.button('Edit').click()
		await tab.field('A day, at most').fill('1')
		await tab.shows(/come later|comes later/)
		await tab.button('Undo changes').click()
		await tab.field('A minute, at most').fill('')
		await tab.button('Save').click()
		await tab.shows('Saved')
		await tab.button('Resume').click()
		await tab.shows('completed', 'h1 + .status')
		const [download] = await Promise.all([tab.page.waitForEvent('download'), tab.button('Results.csv').click()])
		const rows = readFileSync(await download.path(), 'utf8').trim().split('\r\n')
		assert.equal(rows.length, 12) // a header, ten called contacts, one contact that was in the file twice
		await tab.close()
	},

	async hours_of_a_country_and_warnings() {
		const tab = await Tab.open({ path: '/settings/limits' })
		await tab.shows('such campaigns call around the clock')
		await tab.field('Hours of a country').selectOption({ label: 'United States, federal' })
		await tab.shows('08:00')
		await tab.button('No default hours').click()
		await tab.shows('such campaigns call around the clock')
		await tab.go(`/campaigns/${scene.draft}/edit`)
		await tab.field('Hours of a country').selectOption({ label: 'France' })
		await tab.shows('Décret')
		await tab.field('Start of window 2').waitFor()
		await tab.button('Undo changes').click()
		await tab.go(`/campaigns/${scene.draft}/plan`)
		await tab.shows(/3 contacts may be called outside of 8:00 to 21:00/)
		await tab.close()
	},

	async columns_and_a_country_are_chosen() {
		const tab = await Tab.open({ path: `/campaigns/${scene.draft}/add` })
		tab.expect(/422 \(Unprocessable/)
		const people = 'Kunde;Telefon;Mobil\r\nAda Lovelace;030 1234567;0171 1234567\r\nBlaise;12;\r\n'
		await tab.page.setInputFiles('input[type=file]', { name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(people) })
		await tab.button('Check the whole file').click()
		await tab.shows(/2\s+cannot be used/)
		await tab.shows('has no country')
		await tab.field('Numbers without a country').selectOption({ label: 'are of Germany' })
		await tab.button('Check the whole file').click()
		await tab.shows('too short for a number of DE')
		await tab.page.getByText('Choose the columns').click()
		await tab.field('Number').selectOption('Mobil')
		await tab.field('First and last name').selectOption('Kunde')
		assert.equal(await tab.button(/^Add 1/).count(), 0, 'it is checked again before it is loaded')
		await tab.button('Check the whole file').click()
		await tab.shows('Mobil → number')
		await tab.shows('Lovelace')
		await tab.button('Add 1 contact').click()
		await tab.shows(/1\s+loaded/)
		await tab.page.setInputFiles('input[type=file]', { name: 'other.csv', mimeType: 'text/csv', buffer: Buffer.from('who,dial\r\nAda,+12125550177\r\n') })
		await tab.button('Check the whole file').click()
		await tab.shows('none has telephone numbers')
		await tab.field('Column with the numbers').fill('dial')
		await tab.button('Check the whole file').click()
		await tab.shows(/1\s+will be loaded/)
		await tab.close()
	},

	async the_same_by_the_keyboard_alone() {
		const tab = await Tab.open({ path: '/' })
		const { keyboard } = tab.page
		await keyboard.press('g')
		await keyboard.press('c')
		await tab.shows('Campaigns', 'h1')
		await tab.settled()
		await keyboard.press('n')
		await tab.shows('New campaign', 'h1')
		await tab.tabTo('Name')
		await keyboard.type('By keys')
		await tab.tabTo('Agent')
		await keyboard.type(scene.agent_name)
		await tab.tabTo('Next')
		await keyboard.press('Enter')
		await tab.shows('When it may call')
		await tab.tabTo('Around the clock')
		await keyboard.press('Enter')
		await tab.tabTo('Next')
		await keyboard.press('Enter')
		await tab.shows('Contacts to call')
		await tab.tabTo(/File$/)
		await keyboard.press('ArrowRight')
		await tab.tabTo(/^Lines, or cells/)
		await keyboard.type('+12125550191, Emmy Noether')
		await tab.tabTo('Check the whole file')
		await keyboard.press('Enter')
		await tab.shows(/1\s+will be loaded/)
		await tab.tabTo('Load 1 contact')
		await keyboard.press('Enter')
		await tab.shows(/1\s+loaded/)
		await tab.tabTo('Next')
		await keyboard.press('Enter')
		await tab.shows('Forecast')
		await tab.tabTo('Schedule')
		await keyboard.press('Enter')
		await tab.shows('By keys', 'h1')
		await tab.shows('completed', 'h1 + .status')
		await keyboard.press('Control+k')
		await keyboard.type('agents')
		await keyboard.press('Enter')
		await tab.shows('Agents', 'h1')
		assert.equal(await tab.page.evaluate(() => document.activeElement.tagName), 'H1')
		await tab.settled()
		await keyboard.press('j')
		await keyboard.press('Enter')
		await tab.shows(scene.agent_name, 'h1')
		await keyboard.press('?')
		await tab.shows('find or do something', 'dialog')
		await keyboard.press('Escape')
		await tab.close()
	},

	async every_page() {
		const { theme, width } = scene
		const tab = await Tab.open({ theme, width, height: width < 500 ? 800 : 900 })
		const found = []
		for (const path of pages()) {
			await tab.go(path)
			if (await tab.overflow() > 0) found.push(`${path} overflows`)
			if (!/ · Outdial$/.test(await tab.page.title())) found.push(`${path} has the title ${await tab.page.title()}`)
			found.push(...(await tab.axe()).map(fault => `${path}: ${fault}`))
			if (process.env.OUTDIAL_SHOTS) await tab.page.screenshot({ path: `${process.env.OUTDIAL_SHOTS}/${path.replace(/\W+/g, '_')}-${width}-${theme}.png`, fullPage: true })
		}
		assert.deepEqual(found, [])
		await tab.close()
	},

	async who_changed_what() {
		const tab = await Tab.open({ path: '/settings/audit' })
		await tab.shows(/Campaign\s+moved scheduled → paused/, '[aria-label="Audit log"] tbody tr')
		await tab.shows(scene.key_name, '[aria-label="Audit log"] tbody tr')
		assert.deepEqual(await tab.axe(), [])
		await tab.field('Object').selectOption({ label: 'Do-not-call list' })
		await tab.shows(/Do-not-call list\s+added to[^]*added: 2/, '[aria-label="Audit log"] tbody tr')
		await tab.page.waitForFunction(() => document.querySelectorAll('[aria-label="Audit log"] tbody tr').length === 1)
		assert.match(tab.page.url(), /object=do_not_call/)
		await tab.field('Action').selectOption({ label: 'deleted' })
		await tab.shows('No entry matches')
		await tab.field('Object').selectOption({ label: 'Campaign' })
		await tab.field('Action').selectOption({ label: 'moved' })
		await tab.page.getByRole('link', { name: 'Campaign', exact: true }).first().click()
		await tab.shows(scene.paused_name, 'h1')
		await tab.shows(scene.operator, '[aria-label="History"] tbody tr')
		await tab.close()
		const narrow = await Tab.open({ path: '/settings/audit', width: 360 })
		assert.ok(await narrow.overflow() <= 0)
		await narrow.close()
		const other = await Tab.open({ path: '/settings/audit', key: scene.read })
		await other.shows('Your key may not see the audit log')
		await other.close()
	},

	async each_rule_has_its_sentence() {
		for (const [id, sentence] of Object.entries(scene.sentences)) {
			const tab = await Tab.open({ path: '/campaigns/' + id })
			await tab.shows(new RegExp(sentence), '.why')
			await tab.close()
		}
	},

	async an_empty_organisation_gets_instructions() {
		const tab = await Tab.open({ path: '/', key: scene.empty })
		await tab.shows('Four steps to the first call')
		for (const [path, text] of [['/campaigns', 'No campaigns yet'], ['/calls', 'No calls yet'], ['/contacts', 'No contacts here yet'], ['/agents', 'No agents yet'],
			['/numbers', 'No numbers yet'], ['/webhooks', 'No webhooks yet'], ['/do-not-call', 'The list is empty'], ['/settings/limits', 'No limit yet']]) {
			await tab.go(path)
			await tab.shows(text)
			assert.deepEqual(await tab.axe(), [], path)
		}
		await tab.close()
	},

	async what_others_wrote_is_text() {
		const tab = await Tab.open({ path: '/campaigns' })
		await tab.shows('img src=x onerror=alert')
		for (const path of [`/campaigns/${scene.hostile}`, `/campaigns/${scene.hostile}/contacts`, `/campaigns/${scene.hostile}/contacts/1`, `/calls/${scene.hostile_call}`, `/webhooks/${scene.webhook}`]) {
			await tab.go(path)
			assert.equal(await tab.page.evaluate(() => document.querySelectorAll('main img, main script, main iframe, .drawer img').length), 0, path)
			const links = await tab.page.evaluate(() => [...document.querySelectorAll('a')].map(link => link.protocol))
			assert.ok(links.every(protocol => protocol === 'http:' || protocol === 'https:'), `${path}: ${links}`)
		}
		await tab.go(`/campaigns/${scene.hostile}/contacts/1`)
		await tab.shows('__proto__', '.drawer')
		await tab.shows('<script>alert', '.drawer')
		assert.equal(await tab.page.evaluate(() => { try { document.body.innerHTML = '<b>x</b>'; return 'taken' } catch { return 'refused' } }), 'refused')
		tab.expect(/require-trusted-types-for|TrustedHTML/)
		await tab.close()
	},

	async the_server_goes_away_and_comes_back() {
		const tab = await Tab.open({ path: '/campaigns/' + scene.paused })
		tab.expect(UNREACHABLE)
		await server('stop_nginx')
		await tab.button('More').click() // the page lives
		await tab.page.keyboard.press('Escape')
		await tab.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
		await tab.shows('cannot be reached')
		await tab.shows(scene.paused_name, 'h1')
		assert.ok(await tab.button('Resume').isDisabled())
		await server('start_nginx')
		await tab.button('Try now').click()
		await tab.page.waitForFunction(() => !document.querySelector('.banner'))
		assert.ok(await tab.button('Resume').isEnabled())
		await tab.close()
	},

	async slow_and_failing_answers_do_not_pile_up() {
		const tab = await Tab.open({ path: '/campaigns/' + scene.active })
		tab.expect(/429 \(|500 \(|503 \(/)
		const open = new Map()
		let most = 0
		await tab.page.route('**/api/**', async route => {
			const path = route.request().url()
			open.set(path, (open.get(path) ?? 0) + 1)
			most = Math.max(most, open.get(path))
			await new Promise(resolve => setTimeout(resolve, 3000))
			open.set(path, open.get(path) - 1)
			await route.continue().catch(() => undefined)
		})
		await tab.page.waitForTimeout(10_000)
		assert.equal(most, 1)
		await tab.page.unrouteAll({ behavior: 'ignoreErrors' })
		const answer = (status, code) => tab.page.route('**/api/**', route => route.fulfill({ status, contentType: 'application/json', body: JSON.stringify({ error: { code, message: 'x', details: {} }, meta: { request_id: 'req_x', ts: new Date().toISOString() } }) }))
		await answer(429, 'rate_limit_exceeded')
		await tab.shows('asks less often')
		await tab.page.unrouteAll({ behavior: 'ignoreErrors' })
		await answer(500, 'internal_error')
		await tab.go('/agents', false)
		await tab.page.unrouteAll({ behavior: 'ignoreErrors' })
		await tab.settled()
		await tab.close()
	},

	async a_hidden_tab_asks_for_nothing() {
		const tab = await Tab.open({ path: '/campaigns/' + scene.active })
		await tab.page.evaluate(() => {
			Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })
			document.dispatchEvent(new Event('visibilitychange'))
		})
		await tab.page.waitForTimeout(1500) // what was under way
		const before = tab.requests.length
		await tab.page.waitForTimeout(8000)
		assert.equal(tab.requests.length, before)
		await tab.page.evaluate(() => {
			delete document.hidden
			document.dispatchEvent(new Event('visibilitychange'))
		})
		await tab.page.waitForRequest(/\/api\//)
		await tab.close()
	},

	async long_tables_have_few_rows_in_the_document() {
		const tab = await Tab.open({ path: `/campaigns/${scene.long}/contacts`, waits: false })
		for (const visit of ['first', 'second', 'third']) {
			await tab.page.waitForSelector('.long tbody tr.row')
			const [paint, shown] = await tab.page.evaluate(() => [performance.getEntriesByName('first-contentful-paint')[0]?.startTime, performance.now()])
			console.log(`# ${visit} visit: first paint after ${Math.round(paint)} ms, first rows after ${Math.round(shown)} ms`)
			if (visit !== 'third') await tab.page.reload()
		}
		await tab.settled()
		const table = tab.page.locator('.long')
		const rows = () => tab.page.evaluate(() => document.querySelectorAll('.long tbody tr.row').length)
		const total = scene.long_total
		assert.equal(await tab.page.locator('.long table').getAttribute('aria-rowcount'), String(total + 1))
		for (let step = 0; step <= 40; step++) {
			await table.evaluate((box, share) => { box.scrollTop = share * box.scrollHeight }, step / 40)
			assert.ok(await rows() <= 60, `${await rows()} rows`)
		}
		const start = Date.now()
		await tab.page.waitForFunction(last => [...document.querySelectorAll('.long tr')].some(row => row.innerText.includes(last)), total.toLocaleString('en-US'))
		console.log(`# the last of ${total} rows after ${Date.now() - start} ms`)
		await tab.field('Go to position').fill(String(total / 2))
		await tab.page.keyboard.press('Enter')
		await tab.shows(new RegExp((total / 2).toLocaleString('en-US')), '.long tr')
		await tab.close()
	},

	async contacts_that_were_not_reached_are_called_again() {
		const tab = await Tab.open({ path: '/campaigns/' + scene.over })
		for (const [action, of, name] of [['Call again unreached contacts…', '2 contacts: no answer 0, busy 2', 'First round (again)'], ['Copy with its contacts…', '5 contacts', 'First round (copy)']]) {
			await tab.go('/campaigns/' + scene.over)
			await tab.button('More about this campaign').click()
			await tab.button(action).click()
			await tab.shows(of, 'dialog')
			await tab.button('Create the draft').click()
			await tab.shows(name.replace(/[()]/g, '.'), 'h1')
		}
		await tab.close()
	},

	async a_refused_key_asks_again_and_keeps_the_form() {
		const tab = await Tab.open({ path: '/agents/' + scene.agent, key: scene.revoked_later })
		tab.expect(UNAUTHORIZED)
		await tab.field('Name').fill('Kept')
		await server('revoke')
		await tab.shows('Sign in again', 'h1')
		await tab.page.locator('.over #key').fill(scene.key)
		await tab.page.locator('.over').getByRole('button', { name: 'Sign in' }).click()
		await tab.page.waitForFunction(() => !document.querySelector('.over'))
		assert.equal(await tab.field('Name').inputValue(), 'Kept')
		await tab.close()
	},
})
