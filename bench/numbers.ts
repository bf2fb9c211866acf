// Numbers for people: three significant digits, thousands apart.

export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US').replaceAll(',', ' ')
  return String(Number(value.toPrecision(3)))
}

export function formatRatio(value: number): string {
  return formatNumber(Number(value.toPrecision(3)))
}

export function formatPercent(share: number): string {
  return `${formatNumber(share * 100)} %`
}
