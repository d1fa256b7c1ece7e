// Numbers, names and addresses as text.

import { prefs } from './prefs'

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const fine = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 4 })
const money = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })

export const count = (value: number | null | undefined) => value === null || value === undefined ? '–' : whole.format(value)
export const cost = (value: number | null | undefined) => value === null || value === undefined ? '–' : fine.format(value)
export const sum = (value: number | null | undefined) => value === null || value === undefined ? '–' : money.format(value)
export const plural = (value: number, one: string, many = one + 's') => `${count(value)} ${value === 1 ? one : many}`

export function percent(part: number | null | undefined): string {
	if (part === null || part === undefined) return '–'
	const value = part * 100
	return (value === 0 || value >= 99.95 ? value.toFixed(0) : value < 10 ? value.toFixed(1) : value.toFixed(1)) + ' %'
}

// A share of 0.4 % must be visible, and 99.9 % must not look like the whole bar.
export const share = (part: number, all: number) => all > 0 ? part / all : 0

// "+1 202 555 0170". Countries differ; groups of three and four are easy to read for all.
export function phone(number: string | null | undefined): string {
	if (!number) return '–'
	const shown = prefs.get().masked ? masked(number) : number
	if (/^\+1.{10}$/.test(shown)) return `${shown.slice(0, 2)} ${shown.slice(2, 5)} ${shown.slice(5, 8)} ${shown.slice(8)}`
	if (shown.length < 9) return shown
	const head = shown.slice(0, 3), rest = shown.slice(3)
	const groups = rest.match(rest.length % 3 === 1 ? /.{1,3}(?=.{4}$|.{7}$|.{10}$|.{13}$)|.{4}$/g : /.{1,3}/g)
	return groups ? `${head} ${groups.join(' ')}` : shown
}

const masked = (number: string) => number.slice(0, 5) + '•'.repeat(Math.max(0, number.length - 7)) + number.slice(-2)

export function fullName(who: { first_name?: string | null; last_name?: string | null }): string {
	return [who.first_name, who.last_name].filter(Boolean).join(' ')
}

// Returns whether an address may be followed: http or https, without a password.
export function safeUrl(text: string | null | undefined): URL | null {
	if (!text) return null
	try {
		const url = new URL(text)
		return (url.protocol === 'https:' || url.protocol === 'http:') && !url.username && !url.password ? url : null
	} catch {
		return null
	}
}

// The id in a pasted text, with or without the prefix of its type.
export function idIn(text: string): { type: string | null; id: string } | null {
	const found = /^(?:(agt|num|ctc|folder|batch|call|whk|key)_)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i.exec(text.trim())
	return found ? { type: found[1] ?? null, id: found[2].toLowerCase() } : null
}

export function phoneIn(text: string): string | null {
	const bare = text.replace(/[\s().-]/g, '').replace(/^00/, '+')
	return /^\+[1-9]\d{4,14}$/.test(bare) ? bare : null
}

// A file for spreadsheets: a text that looks like a formula gets an apostrophe before it, as in the server's export.
export function csv(rows: (string | number | null)[][]): string {
	const cell = (value: string | number | null) => {
		const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) && !/^\+\d+$/.test(value) ? "'" + value : String(value ?? '')
		return /[",;\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text
	}
	return rows.map(row => row.map(cell).join(',') + '\r\n').join('')
}

export const characters = (text: string) => [...text].length
