// The hours in which a campaign may call, as spans of a week in its own wall clock.

import { DAYS } from './time'

export interface Hours {
	start_time: string | null
	end_time: string | null
	working_days: number[]
	calling_windows?: { days: number[]; start: string; end: string }[] | null
}

export interface Span { from: number; until: number } // minutes of the day, 0 to 1440

const DAY = 1440

export function minutesOf(time: string): number {
	const [hours, minutes] = time.split(':').map(Number)
	return hours * 60 + minutes
}

export function timeOf(minutes: number): string {
	return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
}

// Windows, or the two times as one window. A window that ends at or before its start goes over midnight.
function windowsOf(hours: Hours): { days: number[]; from: number; until: number }[] {
	const windows = hours.calling_windows ?? []
	if (windows.length > 0)
		return windows.map(window => ({
			days: window.days.filter(day => hours.working_days.length === 0 || hours.working_days.includes(day)),
			from: minutesOf(window.start), until: minutesOf(window.end),
		}))
	return [{
		days: hours.working_days, from: hours.start_time ? minutesOf(hours.start_time) : 0,
		until: hours.end_time ? minutesOf(hours.end_time) : DAY,
	}]
}

// Seven lists, Monday first. A window over midnight belongs to the day on which it opens, and is drawn on the next day too.
export function weekOf(hours: Hours): Span[][] {
	const week: Span[][] = DAYS.map(() => [])
	for (const { days, from, until } of windowsOf(hours))
		for (const day of days) {
			if (until > from) {
				week[day - 1].push({ from, until })
				continue
			}
			if (from < DAY) week[day - 1].push({ from, until: DAY })
			if (until > 0) week[day % 7].push({ from: 0, until })
		}
	return week.map(joined)
}

function joined(spans: Span[]): Span[] {
	const sorted = [...spans].sort((a, b) => a.from - b.from || a.until - b.until)
	const result: Span[] = []
	for (const span of sorted) {
		const last = result[result.length - 1]
		if (last && span.from <= last.until) last.until = Math.max(last.until, span.until)
		else result.push({ ...span })
	}
	return result
}

// "Mon–Fri 09:00–17:30; Sat 22:00–24:00": for people who do not see the picture.
export function weekText(week: Span[][]): string {
	const texts = week.map(spans => spans.map(span => `${timeOf(span.from)}–${timeOf(span.until)}`).join(', '))
	const parts: string[] = []
	for (let day = 0; day < 7;) {
		let last = day
		while (last < 6 && texts[last + 1] === texts[day]) last++
		if (texts[day]) parts.push(`${last > day ? DAYS[day] + '–' + DAYS[last] : DAYS[day]} ${texts[day]}`)
		day = last + 1
	}
	return parts.join('; ') || 'never'
}

// The same week on a clock that is `shift` minutes ahead.
export function shifted(week: Span[][], shift: number): Span[][] {
	const moved: Span[][] = DAYS.map(() => [])
	week.forEach((spans, day) => {
		for (const span of spans) {
			let from = day * DAY + span.from + shift
			const until = day * DAY + span.until + shift
			while (from < until) {
				const start = Math.floor(from / DAY)
				const end = Math.min(until, (start + 1) * DAY)
				moved[((start % 7) + 7) % 7].push({ from: from - start * DAY, until: end - start * DAY })
				from = end
			}
		}
	})
	return moved.map(joined)
}
