<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
    <context>
        <name>AcceptDialog</name>
        <message>
            <location filename="../swc_zoning/gui/accept_dialog.py" />
            <source>Accept warnings of rule {code}</source>
            <translation>认可规则 {code} 的警告</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/accept_dialog.py" />
            <source>printed in the report and kept in the package</source>
            <translation>写入质检记录，随成果包保存</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/accept_dialog.py" />
            <source>&amp;Reason</source>
            <translation>理由(&amp;R)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/accept_dialog.py" />
            <source>Accepted &amp;by</source>
            <translation>认可单位或人(&amp;B)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/accept_dialog.py" />
            <source>Only {name} ({count})</source>
            <translation>仅 {name}（{count} 条）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/accept_dialog.py" />
            <source>All of this rule in layer {name} ({count})</source>
            <translation>图层 {name} 中此规则的全部问题（{count} 条）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/accept_dialog.py" />
            <source>A reason is needed</source>
            <translation>须写明理由</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/accept_dialog.py" />
            <source>This and all of its group ({count})</source>
            <translation>此条及同组全部（{count} 条）</translation>
        </message>
    </context>
    <context>
        <name>ChapterChecklist</name>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>Result</source>
            <translation>分区成果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>No working folder is chosen: the chapter has no place yet.</source>
            <translation>未选工作文件夹，专章无处存放。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>Folder</source>
            <translation>工作文件夹</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>The city is not zoned yet.</source>
            <translation>尚未划定分区。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>Job or rules changed since it was made: the chapter would be of the old ones.</source>
            <translation>成果写出后作业或决策表有改动，专章仍按改动前的写。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>As job and rules are now.</source>
            <translation>与当前作业和决策表一致。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>Check</source>
            <translation>质检</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>A package of this result was checked: the chapter says what was found.</source>
            <translation>本成果的成果包已质检，结果写入专章。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>No package of this result was checked: the chapter says 未提供，待补充.</source>
            <translation>本成果尚无质检过的成果包，专章中写“未提供，待补充”。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>Layers</source>
            <translation>图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>No expected layer is missing.</source>
            <translation>应有的图层齐全。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>Printed as 未提供，待补充: {names}</source>
            <translation>写作“未提供，待补充”：{names}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>Pending</source>
            <translation>待核</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>Every piece is decided.</source>
            <translation>各图斑均已定。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>{area} ha wait for a decision and stand apart in every table.</source>
            <translation>待核面积 {area} 公顷，各表中单列。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>Page Submission</source>
            <translation>转到“成果报送”</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>Page Why</source>
            <translation>转到“为什么”</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_checklist.py" />
            <source>Keeps the chapter from being written</source>
            <translation>阻碍撰写专章</translation>
        </message>
    </context>
    <context>
        <name>ChapterDialog</name>
        <message>
            <location filename="../swc_zoning/gui/chapter_dialog.py" />
            <source>Chinese</source>
            <translation>中文</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_dialog.py" />
            <source>English</source>
            <translation>英文</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_dialog.py" />
            <source>&amp;Language</source>
            <translation>语言(&amp;L)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_dialog.py" />
            <source>&amp;Folder</source>
            <translation>文件夹(&amp;F)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_dialog.py" />
            <source>Choose a folder</source>
            <translation>请选择文件夹</translation>
        </message>
    </context>
    <context>
        <name>ChapterPage</name>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Chapter</source>
            <translation>专章</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Zone the city first</source>
            <translation>请先划定分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>documents and maps</source>
            <translation>文档和图件齐备</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>documents, no maps</source>
            <translation>有文档，尚无图件</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Of another result: write it anew</source>
            <translation>由另一成果写成，请重新写出</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Blocked: {count}</source>
            <translation>尚有 {count} 项阻碍</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Ready to write</source>
            <translation>可以撰写</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Writing the chapter</source>
            <translation>正在撰写专章</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Making tables</source>
            <translation>正在制作表格</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Making maps</source>
            <translation>正在制作图件</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Written: {path}</source>
            <translation>已写出：{path}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>What was made</source>
            <translation>已有的内容</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Part</source>
            <translation>部分</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>File</source>
            <translation>文件</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Written</source>
            <translation>写出时间</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Result</source>
            <translation>分区成果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>&amp;Write documents…</source>
            <translation>撰写文档(&amp;W)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Make &amp;tables…</source>
            <translation>制作表格(&amp;T)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Make &amp;maps…</source>
            <translation>制作图件(&amp;M)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Open &amp;folder</source>
            <translation>打开文件夹(&amp;F)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>The mark on documents and maps; the same as on the page Submission</source>
            <translation>文档和图件上的字样；与“成果报送”页为同一项</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>St&amp;age</source>
            <translation>成果阶段(&amp;A)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Plan &amp;name</source>
            <translation>规划名称(&amp;N)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>&amp;Compiler</source>
            <translation>编制单位(&amp;C)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Document</source>
            <translation>文档</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Tables</source>
            <translation>表格</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Chart</source>
            <translation>统计图</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Map</source>
            <translation>图件</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>this one</source>
            <translation>本成果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>another one</source>
            <translation>另一成果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Something is running</source>
            <translation>有任务正在运行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Not yet: {matters}</source>
            <translation>暂不能撰写：{matters}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Text and notes as Word documents, with tables and charts</source>
            <translation>文本和说明（Word 文档），连同表格和统计图</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Only the tables, as xlsx and CSV</source>
            <translation>只要表格，xlsx 和 CSV</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Sheets of the city and of its districts, as PDF and pictures</source>
            <translation>全域图件和分区县图，PDF 和图片</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>There is no chapter yet</source>
            <translation>尚无专章</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Write documents</source>
            <translation>撰写文档</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Make tables</source>
            <translation>制作表格</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Make maps</source>
            <translation>制作图件</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_page.py" />
            <source>Before it is written</source>
            <translation>撰写之前</translation>
        </message>
    </context>
    <context>
        <name>CheckPage</name>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Check</source>
            <translation>检查</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Not checked yet</source>
            <translation>尚未检查</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Not checked since the last change</source>
            <translation>上次改动后尚未检查</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>{errors} errors, {warnings} warnings</source>
            <translation>{errors} 个错误，{warnings} 个警告</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Checking</source>
            <translation>检查</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>The finding in full</source>
            <translation>检查结果全文</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>&amp;Check</source>
            <translation>检查(&amp;C)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Apply all &amp;sure fixes</source>
            <translation>采用全部有据的处理(&amp;S)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>&amp;Undo fix</source>
            <translation>撤销上次处理(&amp;U)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Filter by words, layer or code</source>
            <translation>按文字、图层或代码筛选</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Show errors</source>
            <translation>显示错误</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Show warnings</source>
            <translation>显示警告</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Show notes</source>
            <translation>显示说明</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>What can be done</source>
            <translation>可以怎样处理</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>&amp;Zoom to place</source>
            <translation>定位(&amp;Z)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>&amp;Accept…</source>
            <translation>认可(&amp;A)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Co&amp;py</source>
            <translation>复制(&amp;P)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Sa&amp;ve as CSV…</source>
            <translation>存为 CSV(&amp;V)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Something is running</source>
            <translation>有运算正在进行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Choose a working folder first</source>
            <translation>请先选择工作文件夹</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>No layer has a role yet: see the page Layers</source>
            <translation>还没有图层指定角色：见“图层”页</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Opens every layer and tells what is wrong; the data stay as they are</source>
            <translation>打开每个图层并指出问题；原数据不变</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>There is no proved fix left</source>
            <translation>没有尚未采用的有据处理</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>{count} fixes whose proof is in the data</source>
            <translation>{count} 项处理在数据中有证据</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>No fix was made since the job last changed otherwise</source>
            <translation>作业另有改动之后没有可撤销的处理</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Take back the last fix</source>
            <translation>撤回上一次处理</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>The job changed: what is shown is from the last check.</source>
            <translation>作业已改动：下面是上次检查的结果。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>There are no findings to write</source>
            <translation>没有可导出的检查结果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Copy what is shown as a table</source>
            <translation>把显示的内容复制为表格</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Save what is shown as a table</source>
            <translation>把显示的内容存为表格</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Choose a finding</source>
            <translation>请先选中一条检查结果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>This finding has no place on the map</source>
            <translation>此条结果没有具体位置</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Go on with it, with a reason that is kept</source>
            <translation>注明理由后继续，理由会保留</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>It is accepted already</source>
            <translation>已经认可</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Without a fix there is nothing to work with: it cannot be accepted</source>
            <translation>不处理就无法运算，不能认可</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>It stops no run: there is nothing to accept</source>
            <translation>它不会中止运行，无须认可</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Nothing has to be done.</source>
            <translation>无须处理。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>No change of the job settles this: mend the source, or ask its provider.</source>
            <translation>修改作业不能解决：请修正数据源，或询问提供单位。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Settled on a copy, the data stay as they are; the proof is above.</source>
            <translation>在副本上处理，原数据不变；证据见上。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Choose one; it is done on a copy, the data stay as they are.</source>
            <translation>请选择一项；在副本上处理，原数据不变。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>{words} (proved)</source>
            <translation>{words}（有据）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>The layer was changed since the check: check again</source>
            <translation>检查之后图层有改动：请重新检查</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Done</source>
            <translation>已处理</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Proved fixes made in the job: {count}. Check again to see what is left.</source>
            <translation>已在作业中采用 {count} 项有据的处理。请重新检查余下的问题。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Why can this be accepted? The reason goes into the job and the report.</source>
            <translation>为什么可以认可？理由会写入作业和报告。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Accept the finding</source>
            <translation>认可检查结果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Severity</source>
            <translation>程度</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Layer</source>
            <translation>图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Finding</source>
            <translation>检查结果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Code</source>
            <translation>代码</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>East</source>
            <translation>东坐标</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>North</source>
            <translation>北坐标</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Area (m²)</source>
            <translation>面积（平方米）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Save the findings</source>
            <translation>保存检查结果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/check_page.py" />
            <source>Check first; then choose a finding to read its reason and what can be done.</source>
            <translation>请先检查；再选中一条检查结果，查看原因和处理办法。</translation>
        </message>
    </context>
    <context>
        <name>Checklist</name>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Result</source>
            <translation>分区成果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>The city is not zoned yet.</source>
            <translation>尚未划定分区。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Job or rules changed since it was made: zone again.</source>
            <translation>划定之后作业或规则有改动，请重新划定。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>As job and rules are now.</source>
            <translation>与现在的作业和规则一致。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Mode</source>
            <translation>划定方式</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Zoned in submission mode: flaws stop the run.</source>
            <translation>按报送方式划定，数据问题会阻断。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Zoned as a draft: flaws of the data are only listed. Zone in submission mode.</source>
            <translation>按草稿方式划定，数据问题只列出不阻断；请按报送方式重新划定。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>{count} slivers may be merged and are not: the check takes each for an error.</source>
            <translation>有 {count} 个细碎图斑可以合并而未合并，质检逐个算作错误。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Slivers</source>
            <translation>细碎图斑</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>None is left that may be merged.</source>
            <translation>没有可合并而未合并的细碎图斑。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Papers</source>
            <translation>批准文件</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Every statutory layer has approval number and date.</source>
            <translation>法定图层都有批准文号和数据日期。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Approval number or date is missing: {names}</source>
            <translation>缺少批准文号或数据日期：{names}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Layers</source>
            <translation>图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>No expected layer is missing.</source>
            <translation>应有的图层都已提供。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Not supplied, and said so in the package: {names}</source>
            <translation>未提供（成果中如实注明）：{names}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Required</source>
            <translation>必填项</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>{stage}: still empty: {names}</source>
            <translation>{stage}还须填写：{names}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>{stage}: everything is filled in.</source>
            <translation>{stage}所需各项都已填写。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Form</source>
            <translation>填写</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Formats</source>
            <translation>格式</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Choose one at least.</source>
            <translation>至少选择一种。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>compiler</source>
            <translation>编制单位</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>plan name</source>
            <translation>规划名称</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>secrecy</source>
            <translation>密级</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>consultation no.</source>
            <translation>征求意见文号</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>consultation date</source>
            <translation>征求意见日期</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>review no.</source>
            <translation>审查文号</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>approval no.</source>
            <translation>批复文号</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>approval date</source>
            <translation>批复日期</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>area name</source>
            <translation>行政区名称</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Check</source>
            <translation>质检</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>{count} errors stopped the last export: see below, mend them and export again.</source>
            <translation>上次导出因 {count} 条错误而停止：见下表，改正后再导出。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>{count} warnings of the last package are not accepted yet.</source>
            <translation>上次的成果包还有 {count} 条警告未认可。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>The last package has no error and no open warning.</source>
            <translation>上次的成果包没有错误，也没有未认可的警告。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Has the job merge all it may, and goes to the page that zones again</source>
            <translation>让作业合并一切可合并的细碎图斑，并转到重新划定的页面</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Go to where this is mended</source>
            <translation>转到处理之处</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Page Zoning</source>
            <translation>转到“划定”</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Page Layers</source>
            <translation>转到“图层”</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Merge them</source>
            <translation>合并</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Show</source>
            <translation>查看</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Fill in</source>
            <translation>去填写</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>Blocks the export</source>
            <translation>阻断导出</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>In order</source>
            <translation>已具备</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_checklist.py" />
            <source>To be looked at</source>
            <translation>需留意</translation>
        </message>
    </context>
    <context>
        <name>ComparePage</name>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>Compare</source>
            <translation>比较</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>{area} ha changed</source>
            <translation>变化 {area} 公顷</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>Two results can be compared</source>
            <translation>可以比较两次成果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>Comparing</source>
            <translation>比较两次成果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>&amp;Older result</source>
            <translation>前一次成果(&amp;O)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>&amp;Newer result</source>
            <translation>后一次成果(&amp;N)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>The matrix of the whole, or of one district</source>
            <translation>全部范围或某一行政区的矩阵</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>Transfer matrix</source>
            <translation>转移矩阵</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>&amp;District</source>
            <translation>行政区(&amp;D)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>Browse…</source>
            <translation>浏览…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>A folder with summary.json and zoning.gpkg</source>
            <translation>含有 summary.json 和 zoning.gpkg 的文件夹</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>&amp;Compare</source>
            <translation>比较(&amp;C)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>Show c&amp;hanges</source>
            <translation>显示变化图斑(&amp;H)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>S&amp;wipe</source>
            <translation>卷帘(&amp;W)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>Co&amp;py table</source>
            <translation>复制表格(&amp;P)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>&amp;Save table…</source>
            <translation>保存表格(&amp;S)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>Folder of a result</source>
            <translation>成果文件夹</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>Something is running</source>
            <translation>有运算正在进行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>Two results are needed: zone the city, or browse for a folder</source>
            <translation>需要两次成果：先划定分区或浏览选择</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>Choose two different results</source>
            <translation>请选择两次不同的成果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>Runs in the background; the map stays usable</source>
            <translation>在后台运行，地图可继续使用</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>Compare two results first</source>
            <translation>请先比较两次成果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>The older result left of the pointer, the newer one right of it</source>
            <translation>光标左侧为前一次成果，右侧为后一次成果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>{parts} pieces of ground changed, {area} ha.</source>
            <translation>有变化的地块 {parts} 块，{area} 公顷。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>{cause}: {area} ha</source>
            <translation>{cause}：{area} 公顷</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>The two results were made with different decision tables.</source>
            <translation>两次成果所用的决策表不同。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>Before ↓  after → (ha)</source>
            <translation>变化前 ↓ 变化后 →（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/compare_page.py" />
            <source>Save the table</source>
            <translation>保存表格</translation>
        </message>
    </context>
    <context>
        <name>ConditionsDialog</name>
        <message>
            <location filename="../swc_zoning/gui/rule_editors.py" />
            <source>A role ticked alone means any tier. Or write it: role:tier,tier; role</source>
            <translation>只勾角色表示任意等级。也可直接书写：角色:等级,等级；角色</translation>
        </message>
    </context>
    <context>
        <name>Delineation</name>
        <message>
            <location filename="../swc_zoning/gui/delineation.py" />
            <source>De&amp;lineate…</source>
            <translation>划定(&amp;L)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/delineation.py" />
            <source>Make the layer of areas important for the function from rasters and layers</source>
            <translation>由栅格和图层划定水土保持生态功能重要区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/delineation.py" />
            <source>The tools of the evaluation are not in the toolbox</source>
            <translation>工具箱中没有评价工具</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/delineation.py" />
            <source>Choose a working folder first</source>
            <translation>请先选择工作文件夹</translation>
        </message>
    </context>
    <context>
        <name>DocumentsDialog</name>
        <message>
            <location filename="../swc_zoning/gui/chapter_dialog.py" />
            <source>those shipped</source>
            <translation>随软件提供的</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_dialog.py" />
            <source>A folder with text_zh.docx and notes_zh.docx of your own, copied from the shipped ones</source>
            <translation>自己的 text_zh.docx 和 notes_zh.docx 所在文件夹，由随软件提供的模板复制修改而成</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_dialog.py" />
            <source>Word &amp;templates</source>
            <translation>Word 模板(&amp;T)</translation>
        </message>
    </context>
    <context>
        <name>FindingTree</name>
        <message>
            <location filename="../swc_zoning/gui/finding_tree.py" />
            <source>Findings</source>
            <translation>问题</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/finding_tree.py" />
            <source>Double-click or Enter shows the place on the map</source>
            <translation>双击或按回车键在地图上定位</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/finding_tree.py" />
            <source>Errors</source>
            <translation>错误</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/finding_tree.py" />
            <source>Warnings</source>
            <translation>警告</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/finding_tree.py" />
            <source>Notes</source>
            <translation>说明</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/finding_tree.py" />
            <source>The job as a whole</source>
            <translation>整个作业</translation>
        </message>
    </context>
    <context>
        <name>FindingsPanel</name>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Filter by words, layer, BSM or code</source>
            <translation>按文字、图层、标识码或代码筛选</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Which findings are shown</source>
            <translation>显示哪些问题</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Findings of the check</source>
            <translation>质检问题</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Severity</source>
            <translation>级别</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Code</source>
            <translation>规则</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>What is wrong</source>
            <translation>问题</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>What to do</source>
            <translation>改法</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Layer</source>
            <translation>图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>BSM</source>
            <translation>标识码</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Accepted because</source>
            <translation>认可理由</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>&amp;Accept…</source>
            <translation>认可(&amp;A)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Take &amp;back</source>
            <translation>撤回认可(&amp;B)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>&amp;Zoom to place</source>
            <translation>缩放到位置(&amp;Z)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Sa&amp;ve as CSV…</source>
            <translation>另存为 CSV(&amp;V)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>There are no findings to write</source>
            <translation>没有可保存的问题</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>All ({count})</source>
            <translation>全部（{count}）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Errors ({count})</source>
            <translation>错误（{count}）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Warnings ({count})</source>
            <translation>警告（{count}）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Accepted ({count})</source>
            <translation>已认可（{count}）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Notes ({count})</source>
            <translation>提示（{count}）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Accepted</source>
            <translation>已认可</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Go on with it, with a reason that is kept</source>
            <translation>写明理由后放行，理由随成果保存</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Choose a warning that was accepted here</source>
            <translation>请选择在此认可过的警告</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Accept it no longer</source>
            <translation>不再认可</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Choose a finding that has a place</source>
            <translation>请选择有位置的问题</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Accepted because: {reason}</source>
            <translation>认可理由：{reason}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Choose a warning</source>
            <translation>请选择一条警告</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>An error is mended, never accepted</source>
            <translation>错误须改正，不能认可</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>A note blocks nothing: there is nothing to accept</source>
            <translation>提示不阻断，无需认可</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>It is accepted already</source>
            <translation>已经认可</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Choose a working folder first: the reason is kept there</source>
            <translation>请先选择工作文件夹：理由保存在其中</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Save the table</source>
            <translation>保存表格</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>One row a &amp;group</source>
            <translation>同组合并(&amp;G)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Findings that are accepted together are one row, with their number</source>
            <translation>一起认可的问题合为一行，并注明条数</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>Number</source>
            <translation>条数</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_findings.py" />
            <source>{head}: {count} times, the first of them:</source>
            <translation>{head}：共 {count} 条，首条为：</translation>
        </message>
    </context>
    <context>
        <name>LayerRows</name>
        <message>
            <location filename="../swc_zoning/gui/layer_rows.py" />
            <source>complete</source>
            <translation>齐全</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layer_rows.py" />
            <source>not used</source>
            <translation>不采用</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layer_rows.py" />
            <source>being looked at</source>
            <translation>正在查看</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layer_rows.py" />
            <source>file missing</source>
            <translation>文件不存在</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layer_rows.py" />
            <source>cannot be read</source>
            <translation>无法读取</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layer_rows.py" />
            <source>free role: carried through, decides nothing</source>
            <translation>自定角色：随成果保留，不参与判定</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layer_rows.py" />
            <source>tiers not chosen</source>
            <translation>未指定等级字段</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layer_rows.py" />
            <source>approval number missing</source>
            <translation>缺批准文号</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layer_rows.py" />
            <source>data date missing</source>
            <translation>缺数据日期</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layer_rows.py" />
            <source>data date is no date</source>
            <translation>数据日期不是日期</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layer_rows.py" />
            <source>fields missing: {names}</source>
            <translation>缺字段：{names}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layer_rows.py" />
            <source>not a polygon layer</source>
            <translation>不是面图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layer_rows.py" />
            <source>Recognised with a confidence of {share} %</source>
            <translation>识别可信度 {share} %</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layer_rows.py" />
            <source>Not recognised by name or fields; chosen by hand</source>
            <translation>名称和字段未能识别；人工指定</translation>
        </message>
    </context>
    <context>
        <name>LayersForm</name>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Layers</source>
            <translation>图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Not provided: {names}. What these layers would decide is not known.</source>
            <translation>未提供：{names}。这些图层所能决定的内容未知。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Printed on results</source>
            <translation>印在成果上</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>that of the decision table</source>
            <translation>以决策表为准</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>The law is read as it is in force on this day</source>
            <translation>按这一天有效的法律法规执行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Automatic: the zone that fits</source>
            <translation>自动：取合适的投影带</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Projected, in metres; layers are brought to it on a copy</source>
            <translation>投影坐标系，以米计；在副本上转换图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>&amp;Title</source>
            <translation>标题(&amp;T)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Plan d&amp;ate</source>
            <translation>规划日期(&amp;A)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Working &amp;CRS</source>
            <translation>工作坐标系(&amp;C)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Add from pro&amp;ject…</source>
            <translation>从工程添加(&amp;J)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Add &amp;files…</source>
            <translation>添加文件(&amp;F)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Add f&amp;older…</source>
            <translation>添加文件夹(&amp;O)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Open jo&amp;b…</source>
            <translation>打开作业(&amp;B)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Save job as…</source>
            <translation>作业另存为…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Ti&amp;ers…</source>
            <translation>等级(&amp;E)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Refres&amp;h copy</source>
            <translation>更新副本(&amp;H)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Remo&amp;ve</source>
            <translation>移除(&amp;V)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Apply profile</source>
            <translation>采用方案</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Save as own profile…</source>
            <translation>存为自有方案…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Propose roles for the polygon layers of the project</source>
            <translation>为工程中的面图层建议角色</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Propose roles for the layers of files</source>
            <translation>为文件中的图层建议角色</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Propose roles for all layers below a folder</source>
            <translation>为文件夹（含下级）中的全部图层建议角色</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Take layers and options of a job file</source>
            <translation>采用作业文件中的图层和选项</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>replace</source>
            <translation>替换</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Profile</source>
            <translation>图层方案</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>What layers and fields are called; used for new layers too</source>
            <translation>图层和字段的命名方案；也用于新添加的图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Replace what is set already</source>
            <translation>替换已经设定的内容</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>No profile</source>
            <translation>不用方案</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>State</source>
            <translation>状态</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Role</source>
            <translation>角色</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Layer</source>
            <translation>图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Tiers</source>
            <translation>等级</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Id or code</source>
            <translation>标识或代码</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Name field</source>
            <translation>名称字段</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Version</source>
            <translation>版本</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Approval number</source>
            <translation>批准文号</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Data date</source>
            <translation>数据日期</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Provider</source>
            <translation>提供单位</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Secrecy</source>
            <translation>密级</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_form.py" />
            <source>Confidence</source>
            <translation>可信度</translation>
        </message>
    </context>
    <context>
        <name>LayersPage</name>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Layers</source>
            <translation>图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>No layer yet: add some</source>
            <translation>还没有图层：请添加</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Layers with a problem: {count}</source>
            <translation>有问题的图层：{count} 个</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>No extent yet</source>
            <translation>还没有规划范围</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>{count} layers</source>
            <translation>{count} 个图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>incomplete: {count}</source>
            <translation>待补充 {count} 个</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>not provided: {count}</source>
            <translation>未提供 {count} 个</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>There is no polygon layer that is not in the job already.</source>
            <translation>没有尚未列入作业的面图层。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>must be copied: choose a working folder first</source>
            <translation>须先复制：请选择工作文件夹</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>cannot be read</source>
            <translation>无法读取</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Copied as shown: {names}</source>
            <translation>已按显示内容复制：{names}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>the layer shows something else now: refresh the copy</source>
            <translation>图层内容已变：请更新副本</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Layers changed by the profile: {count}</source>
            <translation>按方案改动的图层：{count} 个</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Name of the profile</source>
            <translation>方案名称</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Save as own profile</source>
            <translation>存为自有方案</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Profile saved: {path}</source>
            <translation>方案已保存：{path}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Jobs (*.json)</source>
            <translation>作业 (*.json)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Open job</source>
            <translation>打开作业</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Save job as</source>
            <translation>作业另存为</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Add files</source>
            <translation>添加文件</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Add all layers of a folder</source>
            <translation>添加文件夹中的全部图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Choose a layer in the table</source>
            <translation>请在表中选择图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Take the chosen layers out of the job; their data stay</source>
            <translation>把所选图层移出作业；数据保留</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Say which word of which field means which tier</source>
            <translation>指定哪个字段的哪个词对应哪个等级</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>No layer was copied, or it is not in the project</source>
            <translation>没有复制过的图层，或原图层不在工程中</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Copying layers</source>
            <translation>正在复制图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Copy layers anew as they are shown now</source>
            <translation>按当前显示的内容重新复制</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>The job has no layers</source>
            <translation>作业中还没有图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Choose a profile</source>
            <translation>请选择方案</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Roles, tiers and fields as the profile names them</source>
            <translation>按方案设定角色、等级和字段</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Keep roles, tiers and fields for the next project</source>
            <translation>保存角色、等级和字段，供以后的项目使用</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Write the job, with full paths, to another file</source>
            <translation>把作业（完整路径）写入另一个文件</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Choose one layer in the table</source>
            <translation>请在表中选择一个图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>This role has no tiers</source>
            <translation>此角色不分等级</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>The file cannot be read</source>
            <translation>文件无法读取</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Vector data</source>
            <translation>矢量数据</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>All files</source>
            <translation>所有文件</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/layers_page.py" />
            <source>Delineated and put into its role: {count} patches</source>
            <translation>已划定并列入角色：{count} 个图斑</translation>
        </message>
    </context>
    <context>
        <name>MapsDialog</name>
        <message>
            <location filename="../swc_zoning/gui/chapter_dialog.py" />
            <source>One sheet for each &amp;district</source>
            <translation>每个区县一幅(&amp;D)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_dialog.py" />
            <source>&amp;Public edition</source>
            <translation>公开版(&amp;P)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_dialog.py" />
            <source>Without graticule and coordinates</source>
            <translation>不绘经纬网，不注坐标</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_dialog.py" />
            <source>&amp;Sheets</source>
            <translation>图件(&amp;S)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_dialog.py" />
            <source>Formats</source>
            <translation>格式</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_dialog.py" />
            <source>Choose a sheet or the districts</source>
            <translation>请选择图件，或勾选分区县图</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/chapter_dialog.py" />
            <source>Choose a format</source>
            <translation>请选择格式</translation>
        </message>
    </context>
    <context>
        <name>MeasuresDialog</name>
        <message>
            <location filename="../swc_zoning/gui/rule_editors.py" />
            <source>Measures that the rule gives</source>
            <translation>该规则带有的管控措施</translation>
        </message>
    </context>
    <context>
        <name>OptionsPage</name>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>SWC Zoning</source>
            <translation>水土保持管控分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>as QGIS</source>
            <translation>与 QGIS 相同</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>Of messages and results; menus follow when QGIS starts again</source>
            <translation>消息和成果的语言；菜单在 QGIS 重新启动后随之改变</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>The result is the same with any number; more need more memory</source>
            <translation>进程数不影响结果；进程越多，占用内存越多</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>Tried first; empty: the Python of QGIS, then those of the system</source>
            <translation>优先使用；不填则先用 QGIS 自带的 Python，再用系统的</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>Empty: that of Processing, else that of the system</source>
            <translation>不填则用“处理”选项中的文件夹，再不然用系统的</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>Settings</source>
            <translation>设置</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>&amp;Language</source>
            <translation>语言(&amp;L)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>&amp;Processes of a run</source>
            <translation>运行时的进程数(&amp;P)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>Python of the &amp;engine</source>
            <translation>计算引擎的 Python(&amp;E)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>&amp;Temporary data</source>
            <translation>临时数据(&amp;T)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>&amp;Working folders begin in</source>
            <translation>工作文件夹的起始位置(&amp;W)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>Environment</source>
            <translation>运行环境</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>&amp;Check again</source>
            <translation>重新检查(&amp;C)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>Choose &amp;interpreter…</source>
            <translation>选择解释器(&amp;I)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>Name a Python that has the packages</source>
            <translation>指定一个装有所需包的 Python</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>C&amp;opy the report</source>
            <translation>复制报告(&amp;O)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>The check is running</source>
            <translation>正在检查</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>Looking for a Python that can run the engine…</source>
            <translation>正在查找可运行计算引擎的 Python…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>Look anew, after something was installed</source>
            <translation>安装后重新查找</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>No Python that can run the engine was found</source>
            <translation>没有找到可运行计算引擎的 Python</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>The engine runs in the Python of QGIS, in a process of its own</source>
            <translation>计算引擎在 QGIS 自带的 Python 中以独立进程运行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>The engine runs in a Python beside QGIS</source>
            <translation>计算引擎在 QGIS 之外的 Python 中运行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>Choose interpreter</source>
            <translation>选择解释器</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>Not used</source>
            <translation>未采用</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/options_page.py" />
            <source>How to get what is missing</source>
            <translation>缺少的包怎样获取</translation>
        </message>
    </context>
    <context>
        <name>PapersForm</name>
        <message>
            <location filename="../swc_zoning/gui/papers_form.py" />
            <source>several values</source>
            <translation>多个值</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/papers_form.py" />
            <source>&amp;Used</source>
            <translation>采用(&amp;U)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/papers_form.py" />
            <source>A layer that is not used stays in the job and decides nothing</source>
            <translation>不采用的图层留在作业中，不起作用</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/papers_form.py" />
            <source>&amp;Role</source>
            <translation>角色(&amp;R)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/papers_form.py" />
            <source>&amp;Id or code field</source>
            <translation>标识或代码字段(&amp;I)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/papers_form.py" />
            <source>&amp;Name field</source>
            <translation>名称字段(&amp;N)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/papers_form.py" />
            <source>&amp;Version</source>
            <translation>版本(&amp;V)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/papers_form.py" />
            <source>A&amp;pproval number</source>
            <translation>批准文号(&amp;P)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/papers_form.py" />
            <source>&amp;Data date</source>
            <translation>数据日期(&amp;D)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/papers_form.py" />
            <source>Pro&amp;vider</source>
            <translation>提供单位(&amp;V)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/papers_form.py" />
            <source>&amp;Secrecy</source>
            <translation>密级(&amp;S)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/papers_form.py" />
            <source>Choose a day</source>
            <translation>选择日期</translation>
        </message>
    </context>
    <context>
        <name>ProposalDialog</name>
        <message>
            <location filename="../swc_zoning/gui/proposal_dialog.py" />
            <source>Roles of layers</source>
            <translation>图层角色</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/proposal_dialog.py" />
            <source>Nothing below 50 % is chosen beforehand; hold the mouse over a row to see why.</source>
            <translation>可信度低于 50 % 的不预先选定；鼠标停在行上可看理由。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/proposal_dialog.py" />
            <source>Layer</source>
            <translation>图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/proposal_dialog.py" />
            <source>Role</source>
            <translation>角色</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/proposal_dialog.py" />
            <source>Confidence</source>
            <translation>可信度</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/proposal_dialog.py" />
            <source>How it is read</source>
            <translation>读取方式</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/proposal_dialog.py" />
            <source>Named by the profile</source>
            <translation>由方案指定</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/proposal_dialog.py" />
            <source>Neither name nor fields tell a role</source>
            <translation>名称和字段都看不出角色</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/proposal_dialog.py" />
            <source>in place</source>
            <translation>原位读取</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/proposal_dialog.py" />
            <source>copied as shown: {count} features, filter {filter}</source>
            <translation>按显示内容复制：{count} 个要素，筛选条件 {filter}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/proposal_dialog.py" />
            <source>copied as shown: {count} features</source>
            <translation>按显示内容复制：{count} 个要素</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/proposal_dialog.py" />
            <source>Several roles are alike; choose one for each of {count} layers.</source>
            <translation>有 {count} 个图层的候选角色难分高下，请逐一选定。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/proposal_dialog.py" />
            <source>No layer has a role yet.</source>
            <translation>还没有图层指定角色。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/proposal_dialog.py" />
            <source>Only one layer can be the extent, and one the reference.</source>
            <translation>规划范围和参照边界各只能选一个图层。</translation>
        </message>
    </context>
    <context>
        <name>RoleCombo</name>
        <message>
            <location filename="../swc_zoning/gui/role_combo.py" />
            <source>Not used</source>
            <translation>不采用</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/role_combo.py" />
            <source>Recognised</source>
            <translation>识别结果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/role_combo.py" />
            <source>Frame</source>
            <translation>范围与参照</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/role_combo.py" />
            <source>Decide zones</source>
            <translation>决定分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/role_combo.py" />
            <source>Context and conflicts</source>
            <translation>背景与冲突</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/role_combo.py" />
            <source>Supporting</source>
            <translation>辅助</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/role_combo.py" />
            <source>Free role…</source>
            <translation>自定角色…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/role_combo.py" />
            <source>Id of the role: small letters, digits and _; it is carried through and decides nothing</source>
            <translation>角色标识：小写字母、数字和 _；随成果保留，不参与判定</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/role_combo.py" />
            <source>Free role</source>
            <translation>自定角色</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/role_combo.py" />
            <source>— choose —</source>
            <translation>— 请选择 —</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/role_combo.py" />
            <source>Reference boundary</source>
            <translation>参照边界</translation>
        </message>
    </context>
    <context>
        <name>RoleTree</name>
        <message>
            <location filename="../swc_zoning/gui/rule_editors.py" />
            <source>Roles and tiers</source>
            <translation>图层角色与等级</translation>
        </message>
    </context>
    <context>
        <name>RuleBench</name>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>Test bench</source>
            <translation>试验台</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>Search roles</source>
            <translation>查找图层角色</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>C&amp;lear</source>
            <translation>清除(&amp;L)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>Untick every role</source>
            <translation>取消全部勾选</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>Tick what covers a piece of land; a role alone is of an unknown tier</source>
            <translation>勾选覆盖该地块的图层角色；只勾角色表示等级不明</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>What the table says</source>
            <translation>决策表的判定</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>The table has errors: mend them first, then it can be asked.</source>
            <translation>决策表有错误，改正后才能试验。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>Conflicts</source>
            <translation>冲突</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>Articles</source>
            <translation>法规条款</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>Rules that hold</source>
            <translation>命中的规则</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>confirmed</source>
            <translation>已确认</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>pending: a tier is unknown</source>
            <translation>待核：有等级不明</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>{status}; {force}; control standard of grade {grade}</source>
            <translation>{status}；{force}；{grade} 级防治标准</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>Measures</source>
            <translation>管控措施</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>none</source>
            <translation>无</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>decides the zone</source>
            <translation>决定分区</translation>
        </message>
    </context>
    <context>
        <name>RuleTableModel</name>
        <message>
            <location filename="../swc_zoning/gui/rule_model.py" />
            <source>{sign} follows from law: weakening it is told</source>
            <translation>{sign} 法定条目：减弱时会提示</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_model.py" />
            <source>{sign} differs from the shipped table</source>
            <translation>{sign} 与随附的决策表不同</translation>
        </message>
    </context>
    <context>
        <name>RulesPage</name>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Rules</source>
            <translation>规则</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Errors in the table: {count}</source>
            <translation>决策表中的错误：{count}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Weakens what follows from law: {count}</source>
            <translation>减弱法定要求：{count} 处</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Shipped table {name}</source>
            <translation>随附决策表 {name}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Own table {name}, no errors</source>
            <translation>自有决策表 {name}，无错误</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Zones</source>
            <translation>分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Measures</source>
            <translation>措施</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Conflicts</source>
            <translation>冲突</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Findings</source>
            <translation>问题</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Click a finding to see its row</source>
            <translation>单击问题可转到所在的行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Decision table</source>
            <translation>决策表</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Search</source>
            <translation>查找</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>&amp;Add</source>
            <translation>添加(&amp;A)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Add a row below</source>
            <translation>在下方添加一行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>D&amp;uplicate</source>
            <translation>复制一行(&amp;U)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>&amp;Remove</source>
            <translation>删除(&amp;R)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>&amp;Import…</source>
            <translation>导入(&amp;I)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>&amp;Export…</source>
            <translation>导出(&amp;E)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>&amp;Back to the shipped table</source>
            <translation>恢复随附的决策表(&amp;B)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>&amp;More</source>
            <translation>更多(&amp;M)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Add a row</source>
            <translation>添加一行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Duplicate a row</source>
            <translation>复制一行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Remove rows</source>
            <translation>删除行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Move a row</source>
            <translation>移动一行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Back to the shipped table</source>
            <translation>恢复随附的决策表</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Select a row first</source>
            <translation>请先选择一行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Copy the current row under a new id</source>
            <translation>以新编号复制当前行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Remove the selected rows</source>
            <translation>删除所选的行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Move the row; the rank of a zone moves with it</source>
            <translation>移动该行；分区的位次随之改变</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>There is nothing to undo</source>
            <translation>没有可撤销的操作</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Undo: {what}</source>
            <translation>撤销：{what}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>There is nothing to redo</source>
            <translation>没有可重做的操作</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Redo: {what}</source>
            <translation>重做：{what}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>The table cannot be used until its errors are mended; the city is not zoned with it.</source>
            <translation>决策表的错误改正之前不能使用，不会据此划定分区。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>No shipped table has this profile: changes against it cannot be shown.</source>
            <translation>没有同名的随附决策表，无法显示与其的差异。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Decision tables</source>
            <translation>决策表</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Import a decision table</source>
            <translation>导入决策表</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Workbook</source>
            <translation>工作簿</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Export the decision table</source>
            <translation>导出决策表</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>{name} was not imported:</source>
            <translation>{name} 未导入：</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Import {name}</source>
            <translation>导入 {name}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Written: {path}</source>
            <translation>已写出：{path}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Paste</source>
            <translation>粘贴</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Clear cells</source>
            <translation>清空单元格</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>The table of the project is damaged; the shipped one is shown. Editing replaces it.</source>
            <translation>项目中的决策表已损坏，现显示随附的决策表；编辑后将替换项目中的表。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Acts</source>
            <translation>法规</translation>
        </message>
    </context>
    <context>
        <name>ScreeningPage</name>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Screen a project</source>
            <translation>项目核查</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Draw a polygon or choose a layer</source>
            <translation>在图上绘制或选择图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>{count} screened</source>
            <translation>已核查 {count} 个</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Drawn polygon</source>
            <translation>图上所画范围</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>What was screened; choose one to see its answer</source>
            <translation>已核查的项目；选择一个查看结论</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>&amp;Project</source>
            <translation>项目(&amp;P)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>What is asked of a site depends on it</source>
            <translation>选址要求因类型而异</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Only &amp;selected features</source>
            <translation>仅所选要素(&amp;S)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Also show where spoil and borrow sites are &amp;banned</source>
            <translation>同时显示禁设弃渣场、取土场范围(&amp;B)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>&amp;Kind</source>
            <translation>类型(&amp;K)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>&amp;Layer</source>
            <translation>图层(&amp;L)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>&amp;Identifier</source>
            <translation>编号(&amp;I)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>&amp;Name</source>
            <translation>名称(&amp;N)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>&amp;Draw a polygon</source>
            <translation>在图上绘制(&amp;D)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>S&amp;creen the layer</source>
            <translation>核查图层(&amp;C)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Zones</source>
            <translation>分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Measures</source>
            <translation>管控措施</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Conflicts</source>
            <translation>冲突</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Articles</source>
            <translation>条款</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Article</source>
            <translation>条款</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>&amp;PDF card…</source>
            <translation>PDF 说明卡(&amp;P)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Copy as &amp;text</source>
            <translation>复制为文字(&amp;T)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>L&amp;oad layers</source>
            <translation>载入图层(&amp;O)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Zone</source>
            <translation>分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Area (ha)</source>
            <translation>面积（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Share (%)</source>
            <translation>占比（%）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Grade</source>
            <translation>防治等级</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Department</source>
            <translation>部门</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Id</source>
            <translation>编号</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Kind</source>
            <translation>类别</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Measure</source>
            <translation>措施</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Basis</source>
            <translation>依据</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Conflict</source>
            <translation>冲突</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Settling rule</source>
            <translation>处理规则</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>There is no result yet: see the page Zoning</source>
            <translation>请先划定分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Something is running</source>
            <translation>有运算正在进行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Click corners on the map; a right click or Enter ends it</source>
            <translation>在地图上逐点单击，右键或回车结束</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Choose a layer of polygons</source>
            <translation>请选择面图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Nothing was screened yet</source>
            <translation>尚未核查任何项目</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Screening</source>
            <translation>项目核查</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Layers that were not given: {names}</source>
            <translation>未提供的图层：{names}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Total</source>
            <translation>合计</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>Save the card</source>
            <translation>保存说明卡</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/screening_page.py" />
            <source>The card is in {path}.</source>
            <translation>说明卡已写入 {path}。</translation>
        </message>
    </context>
    <context>
        <name>SubmissionForm</name>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Decides the mark on the package and what must be filled in</source>
            <translation>决定成果上的标记和必填项</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>What layers, fields and domains are to be</source>
            <translation>图层、字段和值域的规格</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>S&amp;tage</source>
            <translation>阶段(&amp;T)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>&amp;Profile</source>
            <translation>成果规格(&amp;P)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>&amp;Compiler</source>
            <translation>编制单位(&amp;C)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>full name of the unit</source>
            <translation>单位全称</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Plan &amp;name</source>
            <translation>规划名称(&amp;N)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>the plan it belongs to</source>
            <translation>专章所属的规划</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Sec&amp;recy</source>
            <translation>密级(&amp;R)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Formats</source>
            <translation>格式</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>More</source>
            <translation>更多</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Area code</source>
            <translation>行政区代码</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Area name</source>
            <translation>行政区名称</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Pieces that did not change keep their BSM and number from there, and reasons are kept</source>
            <translation>没有变化的图斑沿用其中的标识码和图斑编号，认可的理由一并沿用</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Written once the replies were taken; kept in the package</source>
            <translation>导入回复后写出，随成果包保存</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Earlier package</source>
            <translation>上一版成果包</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Consultation record</source>
            <translation>征求意见记录</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Consultation no.</source>
            <translation>征求意见文号</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Consultation date</source>
            <translation>征求意见日期</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Review no.</source>
            <translation>审查文号</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Approval no.</source>
            <translation>批复文号</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Approval date</source>
            <translation>批复日期</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Smaller groups are not proposed for the red line</source>
            <translation>小于此面积的成组图斑不建议纳入红线</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Patches no further apart count as one group</source>
            <translation>相距不超过此值的图斑算作一组</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Smallest patch</source>
            <translation>建议图斑最小面积</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Grouped within</source>
            <translation>成组距离</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Map scale</source>
            <translation>成图比例尺</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Public edition too</source>
            <translation>同时生成公开版</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Coordinate lists too</source>
            <translation>同时写出界址点坐标</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>A second package without sensitive sources, coordinates, hashes and paths, marked so</source>
            <translation>另存一份去除敏感来源、坐标、校验值和路径的成果包，并标明“公开版”</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>not chosen: nothing is assumed</source>
            <translation>未选择：不代填</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>As settled by the review of secrecy; written as it is</source>
            <translation>由保密审查确定，原样写入</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>In GBK; a character it cannot hold is named and stops the export</source>
            <translation>GBK 编码；有容不下的字时指明并停止</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>from the districts</source>
            <translation>取自各区县代码</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>must be given</source>
            <translation>必填</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_form.py" />
            <source>Date</source>
            <translation>成果日期</translation>
        </message>
    </context>
    <context>
        <name>SubmissionPage</name>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Submission</source>
            <translation>成果报送</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Zone the city first</source>
            <translation>请先划定分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Blocked: {count}</source>
            <translation>{count} 项阻断</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Ready to export</source>
            <translation>可以导出</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>{count} errors: no package</source>
            <translation>{count} 条错误，未生成成果包</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Package made, {count} warnings open</source>
            <translation>成果包已生成，{count} 条警告未认可</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Exporting</source>
            <translation>导出成果包</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Checking the package</source>
            <translation>质检成果包</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Taking the replies</source>
            <translation>导入回复</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Preparing the consultation</source>
            <translation>准备征求意见</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Before it goes out</source>
            <translation>报送前检查</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>&amp;Export…</source>
            <translation>导出成果包(&amp;E)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Check a pac&amp;kage</source>
            <translation>质检成果包(&amp;K)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Folder…</source>
            <translation>文件夹…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Zip file…</source>
            <translation>zip 文件…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Consu&amp;ltation</source>
            <translation>征求意见(&amp;L)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Prepare letter and list…</source>
            <translation>生成函件和清单…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Take replies…</source>
            <translation>导入回复…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Open &amp;folder</source>
            <translation>打开文件夹(&amp;F)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Something is running</source>
            <translation>正在运行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Written aside, opened again, checked; only then put in its place</source>
            <translation>先在旁边写好，重新打开核对和质检，通过后才放到位</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Checks a package made anywhere; nothing in it is changed</source>
            <translation>可质检任何单位制作的成果包，不改动其内容</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>The letter with one row a conflict, and its replies</source>
            <translation>征求意见函、逐项冲突清单和回复</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>There is no package yet</source>
            <translation>还没有成果包</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Not yet: {matters}</source>
            <translation>尚不能导出：{matters}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Folder for the package</source>
            <translation>成果包存放位置</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Package</source>
            <translation>成果包</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Folder for the consultation</source>
            <translation>征求意见材料存放位置</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>Filled lists of conflicts</source>
            <translation>填好的冲突清单</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>No package was made. {words}</source>
            <translation>未生成成果包。{words}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>The consultation is in {path}.</source>
            <translation>征求意见材料在 {path}。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/submission_page.py" />
            <source>{errors} errors, {warnings} open warnings in {groups} groups, {accepted} accepted.</source>
            <translation>错误 {errors} 条，未认可的警告 {warnings} 条（{groups} 组），已认可 {accepted} 条。</translation>
        </message>
    </context>
    <context>
        <name>SwcZoning</name>
        <message>
            <location filename="../swc_zoning/plugin.py" />
            <source>Soil and Water Conservation Zoning</source>
            <translation>水土保持空间管控分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/plugin.py" />
            <source>Delineate Control Zones…</source>
            <translation>划定管控分区…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/plugin.py" />
            <source>SWC Zoning Workbench</source>
            <translation>水土保持管控分区工作台</translation>
        </message>
    </context>
    <context>
        <name>TargetsPage</name>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Targets</source>
            <translation>目标</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Zone the city first</source>
            <translation>请先划定分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Being read</source>
            <translation>正在读取</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Not provided: see the page</source>
            <translation>未提供：见页内说明</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>{rate}; no target on record</source>
            <translation>{rate}；未登记目标</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>{rate}; {year}: {met}</source>
            <translation>{rate}；{year} 年：{met}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Districts</source>
            <translation>各行政区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>&amp;Save the districts…</source>
            <translation>保存行政区表(&amp;S)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>By district</source>
            <translation>按行政区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Year</source>
            <translation>年份</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Required</source>
            <translation>要求</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Met</source>
            <translation>达标</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Allowed (ha)</source>
            <translation>允许侵蚀面积（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Eroded now (ha)</source>
            <translation>现状侵蚀面积（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>To be cured (ha)</source>
            <translation>需治理（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Document</source>
            <translation>文件</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>{tier} (ha)</source>
            <translation>{tier}（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>{year}: to be cured (ha)</source>
            <translation>{year} 年需治理（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>District</source>
            <translation>行政区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Rate (%)</source>
            <translation>水土保持率（%）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Land (ha)</source>
            <translation>陆域（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Sea (ha)</source>
            <translation>海域（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Eroded (ha)</source>
            <translation>侵蚀合计（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Unknown intensity (ha)</source>
            <translation>强度不明（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Total</source>
            <translation>合计</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>There is no rate yet</source>
            <translation>还没有水土保持率</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>There is no result yet</source>
            <translation>还没有成果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Not provided</source>
            <translation>未提供</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Soil and water conservation rate {rate}</source>
            <translation>水土保持率 {rate}</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source> (at least {lowest})</source>
            <translation>（下限 {lowest}）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>? depends on unknown tiers</source>
            <translation>？取决于强度不明的图斑</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>✓ met</source>
            <translation>✓ 达到</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>✕ not met</source>
            <translation>✕ 未达到</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Save the table</source>
            <translation>保存表格</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>{year} (baseline)</source>
            <translation>{year}（基线）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>&amp;Read a table of rates…</source>
            <translation>读取水土保持率表(&amp;R)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Takes rate.csv of the tool Conservation rate instead of the zoning</source>
            <translation>改用“水土保持率”工具的 rate.csv，不用分区结果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>&amp;Back to the zoning</source>
            <translation>返回分区结果(&amp;B)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>The rate shown is that of the zoning</source>
            <translation>所示即分区结果的水土保持率</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/targets_page.py" />
            <source>Read a table of rates</source>
            <translation>读取水土保持率表</translation>
        </message>
    </context>
    <context>
        <name>TierDialog</name>
        <message>
            <location filename="../swc_zoning/gui/tier_dialog.py" />
            <source>Tiers of {role}</source>
            <translation>{role}的等级</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/tier_dialog.py" />
            <source>From a &amp;field</source>
            <translation>取自字段(&amp;F)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/tier_dialog.py" />
            <source>&amp;One tier for all features</source>
            <translation>全部要素同一等级(&amp;O)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/tier_dialog.py" />
            <source>Field</source>
            <translation>字段</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/tier_dialog.py" />
            <source>Tier</source>
            <translation>等级</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/tier_dialog.py" />
            <source>Word in the data</source>
            <translation>数据中的用词</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/tier_dialog.py" />
            <source>Features</source>
            <translation>要素数</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/tier_dialog.py" />
            <source>unknown: the strictest reading for now</source>
            <translation>未知：暂按从严原则</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/tier_dialog.py" />
            <source>no value</source>
            <translation>无值</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/tier_dialog.py" />
            <source>Reading the words of the field…</source>
            <translation>正在读取字段取值…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/tier_dialog.py" />
            <source>Words without a tier: {count}; their features stay pending.</source>
            <translation>没有对应等级的用词：{count} 个；其要素待核。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/tier_dialog.py" />
            <source>Only the most frequent words are shown; this hardly is a field of tiers.</source>
            <translation>只显示最常见的取值；此字段不像等级字段。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/tier_dialog.py" />
            <source>Read as {encoding}, since the file names no encoding; the check proves it.</source>
            <translation>文件未声明编码，暂按 {encoding} 读取；检查时会给出证据。</translation>
        </message>
    </context>
    <context>
        <name>WhatIfPage</name>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>What-if</source>
            <translation>换表预演</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Zone the city first</source>
            <translation>请先划定分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Being read</source>
            <translation>正在读取</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Preview on the map, not adopted</source>
            <translation>地图上为预演，尚未采用</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>The table changes nothing in this result</source>
            <translation>此表不改变本成果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Decision table</source>
            <translation>决策表</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Table of this project</source>
            <translation>本项目的决策表</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Another table</source>
            <translation>另一张表</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>&amp;Open another table…</source>
            <translation>打开另一张表(&amp;O)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Zones</source>
            <translation>管控分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Districts</source>
            <translation>行政区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Changes</source>
            <translation>变化</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Combinations</source>
            <translation>图层组合</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Rules and measures won and lost</source>
            <translation>增减的规则和措施</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>District</source>
            <translation>行政区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>By zone</source>
            <translation>按分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>By district</source>
            <translation>按行政区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>From zone to zone</source>
            <translation>分区转移</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>&amp;Show on the map</source>
            <translation>在地图上预演(&amp;S)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>&amp;Adopt</source>
            <translation>采用(&amp;A)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>&amp;Drop preview</source>
            <translation>撤销预演(&amp;D)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Zone</source>
            <translation>管控分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Lost (ha)</source>
            <translation>减少（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Gained (ha)</source>
            <translation>增加（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Balance (ha)</source>
            <translation>净变化（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Now (ha)</source>
            <translation>现状（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Then (ha)</source>
            <translation>预演（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>From</source>
            <translation>由</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>To</source>
            <translation>变为</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Area (ha)</source>
            <translation>面积（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Pieces</source>
            <translation>图斑数</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Districts (ha)</source>
            <translation>行政区（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>What covers it</source>
            <translation>图层组合</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Rules won</source>
            <translation>新增规则</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Rules lost</source>
            <translation>失去规则</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Measures won</source>
            <translation>新增措施</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Measures lost</source>
            <translation>失去措施</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>All districts</source>
            <translation>全部行政区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>The decision table has errors: see the page of rules</source>
            <translation>决策表有错误，请见“规则”页</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Open another decision table</source>
            <translation>打开另一张决策表</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Decision tables (*.json)</source>
            <translation>决策表 (*.json)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>The preview is on the map</source>
            <translation>预演已显示在地图上</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Colour the map as it would be</source>
            <translation>按预演结果给地图着色</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Take this table for the next run of the zoning</source>
            <translation>下次划定采用此表</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>There is no preview on the map</source>
            <translation>地图上没有预演</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Give the map its colours back</source>
            <translation>恢复地图原来的颜色</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>The pieces of the result are not in the layer tree</source>
            <translation>图层面板中没有本成果的图斑图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>{area} ha would change zone or status; {count} combinations would change</source>
            <translation>将有 {area} 公顷改变管控分区或状态；{count} 种图层组合的判定将改变</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Total</source>
            <translation>合计</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Changed (ha)</source>
            <translation>变化（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>confirmed</source>
            <translation>已确认</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>pending</source>
            <translation>待核</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>changed</source>
            <translation>有变化</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>⚠ Preview, not adopted: the map shows what this table would make of the result.</source>
            <translation>⚠ 预演，尚未采用：地图所示为按此决策表判定的结果。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source> (preview)</source>
            <translation>（预演）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>zones as another decision table has them, not adopted</source>
            <translation>按另一张决策表着色，尚未采用</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Preview</source>
            <translation>预演</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>The table is adopted. The result is still that of the earlier one: run the zoning.</source>
            <translation>已采用此表。现有成果仍按原表划定，请重新划定。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Replace the edited table of this project by “{name}”?</source>
            <translation>用“{name}”替换本项目已编辑的决策表？</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Adopt a table</source>
            <translation>采用决策表</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>The same rules and measures hold; another zone comes first.</source>
            <translation>适用的规则和措施不变，只是分区的先后不同。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/whatif_page.py" />
            <source>Choose a combination to read why it changes.</source>
            <translation>请选中一种图层组合，查看改变的原因。</translation>
        </message>
    </context>
    <context>
        <name>WhyPage</name>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>Why?</source>
            <translation>为什么</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>Zone the city first</source>
            <translation>请先划定分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>Click a piece on the map</source>
            <translation>在地图上点一个图斑</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>&amp;Pick on the map</source>
            <translation>在图上选取(&amp;P)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>Id of a piece</source>
            <translation>图斑编号</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>Explanation</source>
            <translation>说明</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>Former piece</source>
            <translation>前一个图斑</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>Later piece</source>
            <translation>后一个图斑</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>Pieces looked at</source>
            <translation>看过的图斑</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>&amp;Zoom to it</source>
            <translation>缩放到图斑(&amp;Z)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>&amp;Copy as text</source>
            <translation>复制为文字(&amp;C)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>Piece c&amp;ard (PDF)…</source>
            <translation>图斑说明卡 PDF(&amp;A)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>There is no piece of the result at this place.</source>
            <translation>此处没有成果图斑。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>There is no result yet: zone the city first</source>
            <translation>还没有成果：请先划定分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>Pick a piece first</source>
            <translation>请先选取一个图斑</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>Then click a piece on the map</source>
            <translation>然后在地图上点一个图斑</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>Enter explains it</source>
            <translation>按回车显示说明</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>There is no former piece</source>
            <translation>没有前一个图斑</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>There is no later piece</source>
            <translation>没有后一个图斑</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>Job or rules changed since; this is what the result on the map was made with.</source>
            <translation>作业或决策表此后有改动；以下说明以地图上成果所用的决策表为准。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>The explanation is on the clipboard.</source>
            <translation>说明已复制到剪贴板。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>Piece card</source>
            <translation>图斑说明卡</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/why_page.py" />
            <source>The card is in {path}.</source>
            <translation>说明卡已写入 {path}。</translation>
        </message>
    </context>
    <context>
        <name>Workbench</name>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Soil and Water Conservation Zoning</source>
            <translation>水土保持空间管控分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Pages</source>
            <translation>页面</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>&amp;Working folder…</source>
            <translation>工作文件夹(&amp;W)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Where the job, the rules and the results of this project are kept</source>
            <translation>存放本项目的作业、决策表和成果的文件夹</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>&amp;Demo city…</source>
            <translation>示范城市(&amp;D)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Copy the demo city into a folder and zone it</source>
            <translation>把示范城市复制到所选文件夹并划定分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Cancel</source>
            <translation>取消</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>not chosen yet</source>
            <translation>尚未选择</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Working folder</source>
            <translation>工作文件夹</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Folder for the demo city</source>
            <translation>存放示范城市的文件夹</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Making the demo city</source>
            <translation>生成示范城市</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Demo city</source>
            <translation>示范城市</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>, about {seconds} s left</source>
            <translation>，约剩 {seconds} 秒</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Stopping…</source>
            <translation>正在停止…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Cancelled; nothing was left behind.</source>
            <translation>已取消，没有留下任何文件。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>The demo city takes the place of the job of this project. Its files stay as they are.</source>
            <translation>示范城市将取代本工程当前的作业；原有文件保持不变。</translation>
        </message>
    </context>
    <context>
        <name>ZoningPage</name>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Zoning</source>
            <translation>划定分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Ready to run</source>
            <translation>可以运行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Job or rules changed since the last run</source>
            <translation>上次运行后作业或决策表有改动</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>for example: current rules</source>
            <translation>例如：现行规则</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Results of one scenario share a group in the layer tree</source>
            <translation>同一方案的成果在图层树中共用一个组</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Draft: flaws are listed</source>
            <translation>草案：缺陷只列出</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Submission: flaws stop the run</source>
            <translation>报送：有缺陷即停止</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Scenario</source>
            <translation>方案</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Mode</source>
            <translation>模式</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>&amp;Zone the city</source>
            <translation>划定分区(&amp;Z)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Open &amp;folder</source>
            <translation>打开文件夹(&amp;F)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>&amp;Save this table…</source>
            <translation>保存此表(&amp;S)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Zone areas</source>
            <translation>分区面积</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Mutually exclusive areas: they close to the district</source>
            <translation>互斥分区面积（闭合）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Feature areas</source>
            <translation>要素面积</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Areas of source features: they may overlap and do not close</source>
            <translation>要素面积（可重叠，不闭合）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Conflicts</source>
            <translation>冲突</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Double-click to see the place; no approved line is changed</source>
            <translation>双击定位；不改动任何已批准的界线</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Missing layer</source>
            <translation>缺少的图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Missing</source>
            <translation>缺少图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>What these layers would decide is not known: a general zone never means cleared</source>
            <translation>这些图层所能决定的内容未知：“一般管控区”不等于经核实无管控要求</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Proofs</source>
            <translation>校验台账</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>What every run proves on its final polygons</source>
            <translation>每次运行在最终图形上自证的内容</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Something is running</source>
            <translation>有运算正在进行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Choose a working folder first</source>
            <translation>请先选择工作文件夹</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>No layer has a role yet: see the page Layers</source>
            <translation>还没有图层指定角色：见“图层”页</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>The decision table has errors: see the page Rules</source>
            <translation>决策表有错误：见“规则”页</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>{pieces} pieces, {conflicts} conflicts</source>
            <translation>{pieces} 个图斑，{conflicts} 处冲突</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Runs in the background; the map stays usable</source>
            <translation>在后台运行，期间地图仍可使用</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>There is no result yet</source>
            <translation>还没有成果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Zoned: {words}.</source>
            <translation>分区完成：{words}。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Save the table</source>
            <translation>保存表格</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Where</source>
            <translation>范围</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Zone</source>
            <translation>管控分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Confirmed (ha)</source>
            <translation>已确认（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Pending (ha)</source>
            <translation>待核（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Pieces</source>
            <translation>图斑数</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Role</source>
            <translation>角色</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Tier</source>
            <translation>等级</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Features</source>
            <translation>要素数</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Ellipsoidal (ha)</source>
            <translation>椭球面积（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Kind</source>
            <translation>类型</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Severity</source>
            <translation>程度</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Conflict</source>
            <translation>冲突</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Area (ha)</source>
            <translation>面积（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>First</source>
            <translation>甲方要素</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Second</source>
            <translation>乙方要素</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Settling rule</source>
            <translation>处理规则</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Basis</source>
            <translation>依据</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Proof</source>
            <translation>校验项</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Value</source>
            <translation>数值</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Whole extent</source>
            <translation>全域</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Land</source>
            <translation>陆域</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Sea</source>
            <translation>海域</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Total</source>
            <translation>合计</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>{area} ha in {pieces} pieces; {missing} expected layers are missing.</source>
            <translation>共 {area} 公顷，{pieces} 个图斑；缺少 {missing} 个应有图层。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>{area} ha are pending: decided by the strictest reading, counted apart.</source>
            <translation>其中 {area} 公顷待核：按从严原则暂定，单独统计。</translation>
        </message>
    </context>
    <context>
        <name>_Picker</name>
        <message>
            <location filename="../swc_zoning/gui/rule_editors.py" />
            <source>Search</source>
            <translation>查找</translation>
        </message>
    </context>
</TS>
