package io.millrace.architecture;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.PackageMatchers;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Which package may use which: a table of rows, read by the longest match. A class may always use its own package and what a
 * row of {@link #everywhere} names. Patterns are ArchUnit's: {@code a.b} is one package, {@code a.b..} with all below it.
 */
final class Dependencies {
    private final List<String> everywhere;
    private final Map<String, List<String>> rows = new LinkedHashMap<>();

    private Dependencies(List<String> everywhere) {
        this.everywhere = everywhere;
    }

    static Dependencies everywhere(String... packages) {
        return new Dependencies(List.of(packages));
    }

    Dependencies may(String from, String... to) {
        if (rows.put(from, List.of(to)) != null) {
            throw new IllegalArgumentException("from=" + from + ", expected=one row");
        }
        return this;
    }

    /** One line for each use that no row allows, and for each package without a row. */
    List<String> violations(Iterable<JavaClass> classes) {
        List<String> violations = new ArrayList<>();
        for (JavaClass each : classes) {
            Optional<String> row = row(each.getPackageName());
            if (row.isEmpty()) {
                violations.add("package=" + each.getPackageName() + ", expected=a row in the table");
                continue;
            }
            DescribedPredicate<String> allowed = allowed(each, rows.getOrDefault(row.get(), List.of()));
            for (Dependency use : each.getDirectDependenciesFromSelf()) {
                JavaClass target = use.getTargetClass().getBaseComponentType();
                if (target.getPackageName().equals("java.util.logging")) {
                    violations.add(
                            each.getName() + " uses " + target.getName() + ", expected=slf4j, not java.util.logging");
                } else if (!target.isPrimitive() && !allowed.test(target.getPackageName())) {
                    violations.add(each.getName() + " uses " + target.getName() + ", expected=" + row.get()
                            + " uses only " + rows.get(row.get()));
                }
            }
        }
        return violations.stream().distinct().sorted().toList();
    }

    private Optional<String> row(String packageName) {
        return rows.keySet().stream()
                .filter(row -> PackageMatchers.of(row).test(packageName))
                .reduce((shorter, longer) -> longer.length() >= shorter.length() ? longer : shorter);
    }

    private DescribedPredicate<String> allowed(JavaClass from, List<String> row) {
        return PackageMatchers.of(Stream.of(List.of(from.getPackageName()), everywhere, row)
                .flatMap(List::stream)
                .toList());
    }
}
