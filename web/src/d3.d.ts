// The parts of d3 that the charts use. Debian's packages of d3 come without types. Single modules are imported: the
// index of d3-scale would bring colours and formats of time along.

declare module 'd3-scale/src/linear' {
	export interface Linear {
		(value: number): number
		domain(values: number[]): Linear
		range(values: number[]): Linear
		nice(count?: number): Linear
		ticks(count?: number): number[]
	}
	export default function scaleLinear(): Linear
}

declare module 'd3-shape/src/stack' {
	export interface Layer<Key> extends Array<[number, number]> { key: Key }
	export interface Stack<Row, Key> {
		(rows: Row[]): Layer<Key>[]
		keys(keys: Key[]): Stack<Row, Key>
		value(value: (row: Row, key: Key) => number): Stack<Row, Key>
	}
	export default function stack<Row, Key>(): Stack<Row, Key>
}

declare module 'd3-time/src/utcDay' {
	const utcDay: import('d3-time/src/interval').Interval
	export default utcDay
}

declare module 'd3-time/src/utcHour' {
	const utcHour: import('d3-time/src/interval').Interval
	export default utcHour
}

declare module 'd3-time/src/interval' {
	export interface Interval {
		floor(date: Date): Date
		offset(date: Date, count: number): Date
		range(from: Date, until: Date): Date[]
	}
}
