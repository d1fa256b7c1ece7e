// A real Chromium on the dashboard. Every test watches messages of the console, exceptions, reports
// of the content security policy, dialogs, requests.
//     node dashboard.mjs TEST, with OUTDIAL_URL and OUTDIAL_SCENE (JSON) in the environment
// A test asks the program that started it to act on the server by a line "@ACTION"; it answers with a line.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import readline from 'node:readline'
import { chromium } from 'playwright-core'

export const URL_ROOT = process.env.OUTDIAL_URL
export const scene = JSON.parse(process.env.OUTDIAL_SCENE ?? '{}')
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
export const SECONDS = 30_000

const FLAGS = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
	'--disable-sync', ...(process.getuid() === 0 ? ['--no-sandbox'] : [])]

let browser
export async function launch() {
	browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS })
}
export const finish = () => browser?.close()

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
export async function server(action) {
	console.log('@' + action)
	await lines.next()
}

export class Tab {
	constructor(page, context) {
		Object.assign(this, { page, context, faults: [], requests: [], expected: [] })
	}

	// A new page with a context of its own. `key`: signed in with it.
	static async open({ path = '/', width = 1280, height = 900, theme = 'light', key = scene.key, zone = 'Europe/Berlin', waits = true } = {}) {
		const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, timezoneId: zone, locale: 'en-US', acceptDownloads: true })
		const tab = new Tab(await context.newPage(), context)
		await tab.watch()
		if (key) await tab.page.addInitScript(text => { if (!sessionStorage.getItem('outdial-key')) sessionStorage.setItem('outdial-key', text) }, key)
		await tab.go(path, waits)
		return tab
	}

	async watch() {
		const { page } = this
		page.setDefaultTimeout(SECONDS)
		page.on('console', message => this.faults.push(`console ${message.type()}: ${message.text()} ${message.location().url}`))
		page.on('pageerror', error => this.faults.push(`exception: ${error.stack}`))
		page.on('dialog', async dialog => {
			this.faults.push(`dialog: ${dialog.message()}`)
			await dialog.dismiss()
		})
		page.on('request', request => {
			if (request.url().includes('/api/')) this.requests.push({ at: Date.now(), method: request.method(), path: new URL(request.url()).pathname, key: request.headers().authorization ?? '' })
		})
		await page.exposeFunction('reportViolation', text => this.faults.push(`policy: ${text}`))
		await page.addInitScript(() => addEventListener('securitypolicyviolation', event => window.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`)))
	}

	async go(path, waits = true) {
		await this.page.goto(URL_ROOT + '/dashboard' + path)
		if (waits) await this.settled()
	}

	// The page has its heading, and no part says that it is loading.
	async settled() {
		await this.page.waitForFunction(() => document.querySelector('h1') && !document.querySelector('[aria-busy=true]'), null, { timeout: SECONDS })
	}

	// A fault that the test causes itself.
	expect(pattern) {
		this.expected.push(pattern)
	}

	async close() {
		const left = this.faults.filter(fault => !this.expected.some(pattern => pattern.test(fault)))
		await this.context.close()
		assert.deepEqual(left, [])
	}

	text(selector = 'main') {
		return this.page.locator(selector).first().innerText()
	}

	// Waits until the page shows it, and returns the text.
	async shows(pattern, selector = 'body') {
		await this.page.waitForFunction(([selector, source]) => [...document.querySelectorAll(selector)].some(element => new RegExp(source).test(element.innerText)),
			[selector, pattern.source ?? pattern], { timeout: SECONDS })
	}

	button(name) {
		return this.page.getByRole('button', { name, exact: typeof name === 'string' }).first()
	}

	field(label) {
		return this.page.getByLabel(label, { exact: typeof label === 'string' }).first()
	}

	async overflow() {
		return this.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
	}

	async axe() {
		await this.page.evaluate(AXE)
		const { violations } = await this.page.evaluate(rules => window.axe.run(document, { runOnly: rules, resultTypes: ['violations'] }), RULES)
		return violations.flatMap(one => one.nodes.map(node => `${one.id}: ${node.target.join(' ')}: ${node.failureSummary}`))
	}

	// Presses Tab until the wanted element has the focus.
	async tabTo(name, most = 120) {
		for (let i = 0; i < most; i++) {
			await this.page.keyboard.press('Tab')
			const found = await this.page.evaluate(() => {
				const element = document.activeElement
				if (!element) return ''
				const label = element.getAttribute('aria-label') ?? (element.labels?.length ? element.labels[0].innerText : '') 
				return (label || element.innerText || element.value || '').trim()
			})
			if (typeof name === 'string' ? found === name : name.test(found)) return
		}
		assert.fail(`Tab does not come to ${name}`)
	}
}

export async function main(tests) {
	const name = process.argv[2]
	let status = 0
	try {
		await launch()
		await tests[name]()
	} catch (error) {
		console.log(String(error.stack))
		status = 1
	} finally {
		await finish()
	}
	process.exit(status)
}
