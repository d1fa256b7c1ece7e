// The calling hours of a week as a picture, in the campaign's own wall clock.

import { now } from '../base/api'
import { clockChanges, DAYS, instantText, MY_ZONE, offsetMinutes, wallOf, zoneName } from '../base/time'
import { shifted, weekOf, weekText, type Hours } from '../base/week'
import { useWidth } from './chart'
import { useNow } from './time'

const ROW = 24
const LEFT = 40
const HEAD = 20

export function WeekPicture({ hours, zone, excluded, byContact }: { hours: Hours; zone: string; excluded: string[]; byContact: boolean }) {
	const [place, width] = useWidth<HTMLDivElement>()
	const time = useNow(30_000)
	const wall = wallOf(time, zone)
	const week = weekOf(hours)
	const inner = Math.max(60, width - LEFT - 8)
	const x = (minutes: number) => LEFT + inner * minutes / 1440
	const marks = width < 420 ? [0, 6, 12, 18, 24] : [0, 3, 6, 9, 12, 15, 18, 21, 24]
	const shift = offsetMinutes(time, MY_ZONE) - offsetMinutes(time, zone)
	const changes = clockChanges(now(), 60, zone)
	const ahead = excluded.filter(date => date >= `${wall.year}-${String(wall.month).padStart(2, '0')}-${String(wall.day).padStart(2, '0')}`)
	return (
		<div className="stack close">
			<div ref={place} className="week" role="img" aria-label={`Calls may begin ${weekText(week)}, ${zoneName(zone)}`}>
				{width > 0 && (
					<svg width={width} height={HEAD + 7 * ROW + 4} aria-hidden="true">
						{marks.map(hour => (
							<g key={hour}>
								<text x={x(hour * 60)} y={12} textAnchor={hour === 0 ? 'start' : hour === 24 ? 'end' : 'middle'}>{String(hour).padStart(2, '0')}</text>
								<line className="grid" x1={x(hour * 60)} x2={x(hour * 60)} y1={HEAD} y2={HEAD + 7 * ROW} />
							</g>
						))}
						{DAYS.map((day, index) => (
							<g key={day} transform={`translate(0,${HEAD + index * ROW})`}>
								<text className={wall.weekday === index + 1 ? 'today' : ''} x={0} y={ROW / 2 + 4}>{day}</text>
								<line className="grid" x1={LEFT} x2={LEFT + inner} y1={ROW} y2={ROW} />
								{week[index].map(span => {
									const opens = span.from === 0 && joins(week, index, true), goesOn = span.until === 1440 && joins(week, index, false)
									return <rect key={span.from} className="open" x={x(span.from) - (opens ? 0 : -0.5)} width={Math.max(2, x(span.until) - x(span.from) - 1)} y={5} height={ROW - 9} rx={opens || goesOn ? 1 : 4} />
								})}
							</g>
						))}
						<line className="now" x1={x(wall.hour * 60 + wall.minute)} x2={x(wall.hour * 60 + wall.minute)} y1={HEAD + (wall.weekday - 1) * ROW + 2} y2={HEAD + wall.weekday * ROW - 1} />
					</svg>
				)}
			</div>
			<ul className="small soft stack close" style={{ gap: 3 }}>
				{byContact
					? <li>Read in each contact’s own zone; contacts without one by {zoneName(zone)}.</li>
					: shift !== 0 && <li>In your zone: {weekText(shifted(week, shift))} ({zoneName(MY_ZONE)}).</li>}
				{ahead.length > 0 && <li>Days off: {ahead.slice(0, 6).map(date => instantText(date + 'T12:00Z', 'UTC', { now: now(), dateOnly: true })).join(', ')}{ahead.length > 6 && ` and ${ahead.length - 6} more`}.</li>}
				{changes.map(change => (
					<li key={change.at}>Clocks in {zoneName(zone)} go {change.minutes > 0 ? 'forward' : 'back'} by {Math.abs(change.minutes)} min on {instantText(change.at, zone, { now: now(), full: true })}.</li>
				))}
			</ul>
		</div>
	)
}

// Whether a bar continues from the day before, or to the day after.
function joins(week: ReturnType<typeof weekOf>, day: number, isBefore: boolean): boolean {
	return isBefore ? week[(day + 6) % 7].some(span => span.until === 1440) : week[(day + 1) % 7].some(span => span.from === 0)
}
