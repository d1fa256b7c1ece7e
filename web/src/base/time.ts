// Instants as text, by Intl. Nothing is planned here: every instant comes from the server.

export const MY_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'

const formats = new Map<string, Intl.DateTimeFormat>()

function format(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
	const name = zone + JSON.stringify(options)
	let found = formats.get(name)
	if (!found) {
		const all = { hourCycle: 'h23' as const, ...options }
		try {
			found = new Intl.DateTimeFormat('en-GB', { ...all, timeZone: zone })
		} catch {
			found = new Intl.DateTimeFormat('en-GB', { ...all, timeZone: 'UTC' })
		}
		formats.set(name, found)
	}
	return found
}

export interface Wall {
	year: number
	month: number
	day: number
	weekday: number // 1 is Monday
	hour: number
	minute: number
	second: number
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
export const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
export const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

// Returns what a clock in the zone shows.
export function wallOf(instant: string | number, zone: string): Wall {
	const parts: Record<string, string> = {}
	const all = format(zone, {
		year: 'numeric', month: 'numeric', day: 'numeric', weekday: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit',
	})
	for (const part of all.formatToParts(new Date(instant))) parts[part.type] = part.value
	return {
		year: +parts.year, month: +parts.month, day: +parts.day, weekday: WEEKDAYS.indexOf(parts.weekday) || 7,
		hour: +parts.hour, minute: +parts.minute, second: +parts.second,
	}
}

const two = (value: number) => String(value).padStart(2, '0')

export const clockOf = (wall: Wall, seconds = false) =>
	`${two(wall.hour)}:${two(wall.minute)}${seconds ? ':' + two(wall.second) : ''}`

export const dateOf = (wall: Wall) => `${wall.year}-${two(wall.month)}-${two(wall.day)}`

export interface Style {
	seconds?: boolean
	now: number
	dateOnly?: boolean
	full?: boolean // also the date of today
}

// "Sat 28 Nov, 22:00"; the year when it is not this one; today's date is left out unless `full`.
export function instantText(instant: string | number, zone: string, style: Style): string {
	const wall = wallOf(instant, zone), today = wallOf(style.now, zone)
	const year = wall.year === today.year ? '' : ` ${wall.year}`
	const date = `${DAYS[wall.weekday - 1]} ${wall.day} ${MONTHS[wall.month - 1]}${year}`
	if (style.dateOnly) return date
	const clock = clockOf(wall, style.seconds)
	if (!style.full && dateOf(wall) === dateOf(today)) return clock
	return `${date}, ${clock}`
}

// The time in a second zone, with its day only if the day differs.
export function besideText(instant: string | number, zone: string, first: string, seconds = false): string {
	const wall = wallOf(instant, zone), other = wallOf(instant, first)
	const clock = clockOf(wall, seconds)
	return dateOf(wall) === dateOf(other) ? clock : `${DAYS[wall.weekday - 1]} ${clock}`
}

// "Los Angeles" of "America/Los_Angeles".
export function zoneName(zone: string): string {
	return zone === 'UTC' ? 'UTC' : (zone.split('/').pop() ?? zone).replace(/_/g, ' ')
}

export function isSameOffset(instant: number, one: string, other: string): boolean {
	const a = wallOf(instant, one), b = wallOf(instant, other)
	return dateOf(a) === dateOf(b) && clockOf(a) === clockOf(b)
}

// Minutes that a zone is ahead of UTC.
export function offsetMinutes(instant: number, zone: string): number {
	const wall = wallOf(instant, zone)
	const asUtc = Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second)
	return Math.round((asUtc - Math.floor(instant / 1000) * 1000) / 60_000)
}

export interface ClockChange { at: number; minutes: number }

// The changes of the clock in the days ahead, found day by day and then to the minute.
export function clockChanges(from: number, days: number, zone: string): ClockChange[] {
	const found: ClockChange[] = []
	const DAY = 86_400_000
	for (let day = 0; day < days; day++) {
		let low = from + day * DAY, high = low + DAY
		const before = offsetMinutes(low, zone), after = offsetMinutes(high, zone)
		if (before === after) continue
		while (high - low > 60_000) {
			const middle = Math.floor((low + high) / 2)
			if (offsetMinutes(middle, zone) === before) low = middle
			else high = middle
		}
		found.push({ at: Math.round(high / 60_000) * 60_000, minutes: after - before })
	}
	return found
}

// "in 3 h", "4 min ago"; '' for distant times.
export function nearText(instant: string | number, now: number): string {
	const seconds = Math.round((new Date(instant).getTime() - now) / 1000)
	const size = Math.abs(seconds)
	if (size > 36 * 3600) return ''
	const text = size < 90 ? `${size} s` : size < 90 * 60 ? `${Math.round(size / 60)} min` : `${Math.round(size / 3600)} h`
	return seconds >= 0 ? `in ${text}` : `${text} ago`
}

// "2:03", "1:02:03".
export function durationText(seconds: number | null | undefined): string {
	if (seconds === null || seconds === undefined) return '–'
	const whole = Math.max(0, Math.round(seconds))
	const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60
	return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}

// How long, in words: "18 days", "9 hours", "40 minutes".
export function spanText(seconds: number): string {
	const size = Math.abs(seconds)
	const [count, unit] = size >= 2 * 86400 ? [size / 86400, 'day'] : size >= 2 * 3600 ? [size / 3600, 'hour']
		: size >= 120 ? [size / 60, 'minute'] : [size, 'second']
	const rounded = Math.round(count)
	return `${rounded} ${unit}${rounded === 1 ? '' : 's'}`
}

let zones: string[] | null = null

export function allZones(): string[] {
	if (!zones) {
		const listed = (Intl as any).supportedValuesOf?.('timeZone') as string[] | undefined
		zones = ['UTC', ...(listed ?? [MY_ZONE]).filter(zone => zone !== 'UTC')]
	}
	return zones
}

export function isZone(zone: string): boolean {
	try {
		Intl.DateTimeFormat('en-GB', { timeZone: zone })
		return true
	} catch {
		return false
	}
}
