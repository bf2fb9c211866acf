/**
 * Names that begin with a dot or an underscore are of the tools that write folders, and no data;
 * but `_year=2024` is the folder of a partition.
 */
export function isHiddenName(name: string): boolean {
  return name.startsWith('.') || (name.startsWith('_') && !name.includes('='))
}
