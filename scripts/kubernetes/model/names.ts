/**
 * The syntax of names and labels. Each function returns what is wrong, in words, or undefined.
 * Source: k8s.io/apimachinery/pkg/util/validation.
 */

/** A DNS label (RFC 1123), as containers, volumes, namespaces and Services have. */
export function dnsLabelFault(name: string): string | undefined {
  if (name.length > 63) return `has ${name.length} characters; expected at most 63`
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name)) return undefined
  return 'is not a valid DNS label; expected lowercase letters, digits and "-", with a letter or digit at both ends'
}

/** A DNS subdomain (RFC 1123), as most objects have. */
export function dnsSubdomainFault(name: string): string | undefined {
  if (name.length > 253) return `has ${name.length} characters; expected at most 253`
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)) return undefined
  return 'is not a valid DNS name; expected lowercase letters, digits, "-" and ".", with a letter or digit at both ends of each part'
}

/** A name that only has to fit into a URL, as the objects of RBAC have. */
export function pathSegmentFault(name: string): string | undefined {
  return name === '.' || name === '..' || /[/%]/.test(name)
    ? 'is not a valid path segment of a URL; expected no "/" and no "%"'
    : undefined
}

/** The name of a port, as in IANA's registry of services. */
export function portNameFault(name: string): string | undefined {
  if (name.length > 15) return `has ${name.length} characters; expected at most 15`
  if (/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) && /[a-z]/.test(name)) return undefined
  return 'is not a valid port name; expected lowercase letters, digits and single "-" between them, with at least one letter'
}

const qualified = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/

/** The key of a label or annotation: a name, with or without a DNS name and "/" before it. */
export function labelKeyFault(key: string): string | undefined {
  const parts = key.split('/')
  const name = parts.pop() ?? ''
  if (parts.length > 1) return 'has more than one "/"; expected prefix/name'
  const [prefix] = parts
  if (prefix !== undefined) {
    const fault = dnsSubdomainFault(prefix)
    if (fault !== undefined) return `has the prefix "${prefix}", which ${fault}`
  }
  if (name.length > 63) return `has a name of ${name.length} characters; expected at most 63`
  if (qualified.test(name)) return undefined
  return 'is not a valid label key; expected letters, digits, "-", "_" and ".", with a letter or digit at both ends'
}

/** The value of a label. */
export function labelValueFault(value: string): string | undefined {
  if (value.length > 63) return `has ${value.length} characters; expected at most 63`
  if (value === '' || qualified.test(value)) return undefined
  return 'is not a valid label value; expected letters, digits, "-", "_" and ".", with a letter or digit at both ends'
}
