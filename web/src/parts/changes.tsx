// An entry of a history or of the audit log: the changed fields, and who changed them.

import { Name } from './basics'

type Change = { from?: unknown; to?: unknown; is_long?: boolean; is_personal?: boolean }

const shown = (value: unknown) => value === null ? 'none' : typeof value === 'string' ? value : JSON.stringify(value)

function changeText(name: string, value: unknown) {
	const field = name.replace(/_/g, ' ')
	if (value === null || typeof value !== 'object') return `${field}: ${shown(value)}`
	const { from, to, is_long, is_personal } = value as Change
	return is_long || is_personal ? field : `${field}: ${shown(from)} → ${shown(to)}`
}

export function Changes({ of }: { of: Record<string, unknown> | null }) {
	const changes = Object.entries(of ?? {})
	if (changes.length === 0) return null
	return <div className="sub">{changes.map(([name, value]) => changeText(name, value)).join('; ')}</div>
}

export function By({ entry }: { entry: { key: { name: string } | null; operator: string | null } }) {
	const name = entry.key?.name ?? entry.operator
	return name ? <Name>{name}</Name> : <span className="soft">Outdial</span>
}
